// The root of the site, for clients that are no browsers.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

/// Where to find what. All are absolute URLs.
struct site_links {
    std::string name;
    std::string api, openapi, docs, sign_in, mcp, jwks;
};
BOOST_DESCRIBE_STRUCT(site_links, (), (name, api, openapi, docs, sign_in, mcp, jwks))

} // namespace schemas
