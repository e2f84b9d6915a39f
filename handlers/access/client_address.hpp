// Client address: the peer, or the X-Forwarded-For of trusted proxies.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace handlers {

/// A network such as `10.0.0.0/8`, or one address.
class address_range {
public:
    /// @return nothing if the text is neither an address nor address/length
    static std::optional<address_range> parse(std::string_view text);

    bool contains(const boost::asio::ip::address& address) const;

private:
    boost::asio::ip::address network_;
    unsigned length_ = 0;
};

/// An IPv4-mapped IPv6 address as IPv4; any other unchanged.
boost::asio::ip::address plain(const boost::asio::ip::address& address);

/** The client of a connection: the peer, unless that is a trusted proxy. Then the rightmost address of
    X-Forwarded-For that is not a trusted proxy. An invalid address ends the search at the last valid one. */
boost::asio::ip::address client_address(const boost::asio::ip::address& peer, std::string_view forwarded_for,
                                        std::span<const address_range> trusted);

/// The client address as rate limits count it: IPv4 whole, IPv6 by its /64.
std::array<std::uint8_t, 16> address_bucket(const boost::asio::ip::address& client);

} // namespace handlers
