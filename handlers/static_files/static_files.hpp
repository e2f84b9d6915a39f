// GET /assets: styles, scripts and pictures of the pages, the console and the documentation.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::static_files {

/** A file of the tree, compressed if the client accepts it, and immutable: the path has the digest of the
   tree. 404 for any other digest or name. */
reply show(call& c);

inline constexpr operation operations[] = {
    describes<&show>(
        tags::pages, "showAsset", "A file of the pages of this site",
        "Scripts, styles, pictures and licenses, compressed with brotli or gzip where the client "
        "accepts it. The content of a URL never changes.")
        .responds(200, "The file.", "*/*")
        .responds(304, "It is one that `If-None-Match` lists."),
};

} // namespace handlers::static_files
