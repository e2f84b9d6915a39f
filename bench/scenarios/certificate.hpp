// The certificate of a server that is started for a run.
#pragma once

#include <filesystem>
#include <string>

namespace bench {

/// Paths of PEM files.
struct certificate_paths {
    std::string certificate, key;
};

/** A self-signed certificate for localhost, valid for two days, and its P-256 key, as files in a folder.
    @throw failure if the program `openssl` cannot make it */
certificate_paths make_certificate(const std::filesystem::path& folder);

} // namespace bench
