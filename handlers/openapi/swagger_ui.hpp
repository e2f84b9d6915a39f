// Swagger UI: the OpenAPI document as an interactive page without external requests.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::swagger_ui {

/// The page. Its files are those of the tree below `docs/`.
reply show(call& c);

inline constexpr operation operations[] = {
    describes<&show>(tags::pages, "showDocs", "This document as an interactive page",
                     "Its requests go to this server alone.")
        .responds(200, "The page.", "text/html"),
};

} // namespace handlers::swagger_ui
