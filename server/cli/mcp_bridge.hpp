// MCP bridge: the Model Context Protocol over standard input and output, forwarded to a server over HTTP.
#pragma once

#include <iosfwd>
#include <string>

namespace server {

struct bridge_settings {
    /// TENEX_API_KEY, or the content of the file TENEX_API_KEY_FILE.
    std::string api_key;
    /// Of the server's /mcp endpoint.
    std::string url;
};

/** Settings from TENEX_API_KEY or TENEX_API_KEY_FILE, and TENEX_API_BASE. The base may include the path of
   the API, as older clients configure it.
    @throw std::runtime_error if the key is missing, or the base is no https URL: http sends the key in clear,
   so it is for servers on this host only */
bridge_settings read_bridge_settings();

/** Forward messages until the input ends: one message per line, one response per line. A server that is
    unreachable or rejects a message becomes a JSON-RPC error. Writes nothing else to `out`.
    @throw std::runtime_error if libcurl cannot be initialized */
void run_mcp_bridge(const bridge_settings& settings, std::istream& in, std::ostream& out);

} // namespace server
