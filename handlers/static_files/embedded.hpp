// The files that the build embeds in the program.
#pragma once

#include <span>
#include <string_view>

namespace handlers {

/// A file to serve, plain and compressed. An empty variant does not exist.
struct embedded_file {
    /// Below the tree's path, such as `docs/start.js`.
    std::string_view name;
    std::string_view content_type;
    std::string_view plain, brotli, gzip;
};

/// All of them, as scripts/cmake/embed_files.cmake lists them.
std::span<const embedded_file> embedded_files();

} // namespace handlers
