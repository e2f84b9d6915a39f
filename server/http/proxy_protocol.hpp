// PROXY protocol, version 2: the client's address in front of a connection that a TCP proxy forwards.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace server {

enum class proxy_header_state { incomplete, malformed, complete };

/// The header at the beginning of a connection.
struct proxy_header {
    proxy_header_state state = proxy_header_state::incomplete;
    /// Of a complete header, in bytes.
    std::size_t size = 0;
    /// The client; nothing if the proxy speaks for itself (LOCAL, such as a health check), does not know the
    /// client (UNSPEC), or names one of a protocol other than TCP.
    std::optional<boost::asio::ip::address> client;
};

/// Longest header that is accepted, in bytes: real ones have some hundred, with all of their extensions.
inline constexpr std::size_t max_proxy_header = 2048;

/** Read a header of version 2 (HAProxy, "The PROXY protocol", section 2.2), strictly: a client must not be
    able to pass its own for that of the proxy. Addresses are read of TCP alone, with extensions (TLV) that
    fill the header exactly. Version 1, a line of text, is malformed.
    @param bytes all that has been received so far */
proxy_header read_proxy_header(std::string_view bytes);

} // namespace server
