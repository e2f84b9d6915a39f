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
    @throw std::runtime_error if the key is missing or no header value, or the base is not an http(s) URL, or
    is http:// to another machine, where the key would be sent unencrypted */
bridge_settings read_bridge_settings();

/** Forward messages until the input ends or `out` fails: one message per line, one response per line.

    Every request gets exactly one response, notifications and responses get none (JSON-RPC 2.0). What the
    server cannot answer is answered here: -32700 for a line that is no JSON or is above 1 MiB, -32600 for one
    that is no message, -32602 for values that no header can carry, -32603 for a server that is unreachable or
    rejects the message, with the HTTP status as `data.status`. A batch is answered by an array. Writes
    nothing else to `out`; no line ends the bridge.
    @throw std::runtime_error if libcurl cannot be initialized */
void run_mcp_bridge(const bridge_settings& settings, std::istream& in, std::ostream& out);

} // namespace server
