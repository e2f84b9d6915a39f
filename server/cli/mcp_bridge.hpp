// `latchkey mcp`: the Model Context Protocol over standard input and output, carried to a server over HTTP.
#pragma once

#include <iosfwd>
#include <string>

namespace server {

struct bridge_settings {
    std::string api_key; // TENEX_API_KEY
    std::string url;     // of the server's /mcp
};

/** The settings from TENEX_API_KEY and TENEX_API_BASE; the base may end in the API's own path, as older
   clients have it.
    @throw std::runtime_error if there is no key, or the base is no http(s) URL */
bridge_settings read_bridge_settings();

/** Until the input ends: each line is a message, and each answer is one. A server that cannot be reached, or
   that refuses, is an error of JSON-RPC. Nothing else is written to `out`.
    @throw std::runtime_error if libcurl does not start */
void carry_messages(const bridge_settings& settings, std::istream& in, std::ostream& out);

} // namespace server
