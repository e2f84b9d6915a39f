// Forwarding headers: the client of a connection behind trusted proxies.
#pragma once

#include "handlers/access/client_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace handlers {

/// The forwarding headers of a request. Several lines of one header are joined by commas.
struct forwarding_headers {
    std::string x_forwarded_for;
    /// RFC 7239.
    std::string forwarded;
};

/// Why the forwarding headers of a request do not name its client, or may name a wrong one.
enum class forwarding_fault : std::uint8_t {
    none,
    /// They come from a peer that is no trusted proxy, and are ignored.
    untrusted_peer,
    /// An element that a trusted proxy has written is no address: malformed, `unknown` or obfuscated.
    unreadable,
    /// Both headers are present and name different clients.
    contradiction,
};

struct located_client {
    boost::asio::ip::address address;
    forwarding_fault fault = forwarding_fault::none;
};

/** The client of a connection: the peer, unless that is a trusted proxy. Then the rightmost forwarded address
    that is not a trusted proxy. An element without an address ends the search at the last valid address.

    If both headers are present, they have to name the same client. Else one of them is the client's own,
    which the proxy has passed on, and nothing tells which: the peer's address counts. A proxy that writes one
    of the headers should therefore remove the other one.

    Elements are read from right to left, so that nothing a client has written can change how the elements of
    the proxies are read. */
located_client locate_client(const boost::asio::ip::address& peer, const forwarding_headers& headers,
                             std::span<const address_range> trusted);

/** The address of one element of X-Forwarded-For, or of a node of RFC 7239: `203.0.113.7`, `2001:db8::9` or
    `[2001:db8::9]`, and with a port, `203.0.113.7:4711` or `[2001:db8::9]:4711`.
    @return nothing for any other text, also for `unknown`, obfuscated identifiers and addresses with a zone
 */
std::optional<boost::asio::ip::address> parse_node(std::string_view text);

} // namespace handlers
