// The document as a page that can try calls: Swagger UI, out of the program itself. No request leaves the
// machine.
#pragma once

#include "handlers/http/endpoint.hpp"

#include <span>
#include <string_view>

namespace handlers {

/** A file of the page, as it is and compressed by gzip. */
struct docs_file {
    std::string_view name, content_type, plain, compressed;
};

/** The files of Swagger UI; put into the program when it is built. */
std::span<const docs_file> embedded_docs();

namespace docs {

/** The page. */
reply show(call& c);

/** What it is made of, by name; 404 for all else. */
reply show_file(call& c);

} // namespace docs

} // namespace handlers
