// MCP bridge: the Model Context Protocol over standard input and output, forwarded to a server over HTTP.
#pragma once

#include <iosfwd>
#include <string>

namespace server {

struct bridge_settings {
    /// TENEX_API_KEY.
    std::string api_key;
    /// Of the server's /mcp endpoint.
    std::string url;
};

/** Settings from TENEX_API_KEY and TENEX_API_BASE. The base may include the path of the API, as older clients
    configure it.
    @throw std::runtime_error if the key is missing or the base is not an http(s) URL */
bridge_settings read_bridge_settings();

/** Forward messages until the input ends: one message per line, one response per line. A server that is
    unreachable or rejects a message becomes a JSON-RPC error. Writes nothing else to `out`.
    @throw std::runtime_error if libcurl cannot be initialized */
void run_mcp_bridge(const bridge_settings& settings, std::istream& in, std::ostream& out);

} // namespace server
