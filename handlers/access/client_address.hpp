// Addresses and networks: of trusted proxies, and of clients as rate limits count them.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// A network such as `10.0.0.0/8`, or one address.
class address_range {
public:
    /// @return nothing if the text is neither an address nor address/length
    static std::optional<address_range> parse(std::string_view text);

    bool contains(const boost::asio::ip::address& address) const;

    /// Number of leading bits that count.
    unsigned length() const { return length_; }

    /// Whether bits after these are set, as in `10.0.0.1/8`: most likely a mistake.
    bool has_host_bits() const;

private:
    boost::asio::ip::address network_;
    unsigned length_ = 0;
};

/// An IPv4-mapped IPv6 address as IPv4; any other unchanged.
boost::asio::ip::address plain(const boost::asio::ip::address& address);

/// Whether one of the ranges contains the address.
bool is_in(std::span<const address_range> ranges, const boost::asio::ip::address& address);

/// The client address as rate limits count it: IPv4 whole, IPv6 by its /64.
std::array<std::uint8_t, 16> address_bucket(const boost::asio::ip::address& client);

/// The network of a client address, as network_of(): 16 bytes, of an IPv6 address or an IPv4-mapped one.
std::array<std::uint8_t, 16> network_bucket(const boost::asio::ip::address& client);

/** The networks around an IPv6 client as rate limits count them: the leading bytes of its /56, /48 and /32.
    @return nothing for IPv4 */
std::optional<std::array<std::vector<std::uint8_t>, 3>>
surrounding_networks(const boost::asio::ip::address& client);

/** The network of a client address: what one subscriber or a small organization typically has, the /24 of an
    IPv4 address and the /56 of an IPv6 address.
    @return such as `203.0.113.0/24` */
std::string network_of(const boost::asio::ip::address& client);

} // namespace handlers
