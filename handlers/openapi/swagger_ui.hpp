// Swagger UI, embedded in the binary: the OpenAPI document as an interactive page without external requests.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

#include <span>
#include <string_view>

namespace handlers {

/// A file of the page, plain and compressed with gzip.
struct docs_file {
    std::string_view name, content_type, plain, compressed;
};

/// The files of Swagger UI, embedded at build time.
std::span<const docs_file> embedded_docs();

namespace swagger_ui {

/// The page.
reply show(call& c);

/// A file of the page by name; 404 for any other.
reply show_file(call& c);

inline constexpr operation operations[] = {
    describes<&show>(tags::pages, "showDocs", "This document as an interactive page",
                     "Its requests go to this server alone.")
        .responds(200, "The page.", "text/html"),
    describes<&show_file>(tags::pages, "showDocsFile", "The assets of that page",
                          "Scripts, styles and licenses, compressed where the client accepts it.")
        .responds(200, "The file.", "*/*")
        .responds(304, "It is one that `If-None-Match` lists."),
};

} // namespace swagger_ui

} // namespace handlers
