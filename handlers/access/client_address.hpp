// Whose word about a client's address is taken: networks of trusted proxies.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace handlers {

/** A network such as `10.0.0.0/8`, or one address. */
class address_range {
public:
    /** @return nothing if the text is neither an address nor address/length */
    static std::optional<address_range> parse(std::string_view text);

    bool contains(const boost::asio::ip::address& address) const;

private:
    boost::asio::ip::address network_;
    unsigned length_ = 0;
};

/** IPv4 as IPv4, also where it comes as an IPv4-mapped IPv6 address. */
boost::asio::ip::address plain(const boost::asio::ip::address& address);

/** The client behind a connection. Unless the peer is a trusted proxy it is the peer; else X-Forwarded-For is
    read from its right end, past every trusted proxy, to the first address that is not a trusted
    proxy's. What is not an address ends the search: the last good one counts. */
boost::asio::ip::address client_address(const boost::asio::ip::address& peer, std::string_view forwarded_for,
                                        std::span<const address_range> trusted);

} // namespace handlers
