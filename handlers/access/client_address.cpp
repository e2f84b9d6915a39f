#include "handlers/access/client_address.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <charconv>
#include <string>

namespace handlers {

namespace ip = boost::asio::ip;

namespace {

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits)
{
    auto whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin()))
        return false;
    if (bits % 8 == 0)
        return true;
    auto mask = static_cast<unsigned char>(0xff << (8 - bits % 8));
    return (a[whole] & mask) == (b[whole] & mask);
}

std::optional<ip::address> parse_address(std::string_view text)
{
    boost::system::error_code error;
    auto address = ip::make_address(std::string(text), error);
    if (error)
        return std::nullopt;
    return plain(address);
}

} // namespace

ip::address plain(const ip::address& address)
{
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
}

std::optional<address_range> address_range::parse(std::string_view text)
{
    auto slash = text.find('/');
    auto address = parse_address(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    address_range out;
    out.network_ = *address;
    unsigned max_length = address->is_v4() ? 32 : 128;
    out.length_ = max_length;
    if (slash == std::string_view::npos)
        return out;
    auto length = text.substr(slash + 1);
    auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), out.length_);
    if (error != std::errc() || end != length.data() + length.size() || out.length_ > max_length)
        return std::nullopt;
    return out;
}

bool address_range::contains(const ip::address& address) const
{
    auto other = plain(address);
    if (other.is_v4() != network_.is_v4())
        return false;
    if (other.is_v4())
        return same_prefix(other.to_v4().to_bytes(), network_.to_v4().to_bytes(), length_);
    return same_prefix(other.to_v6().to_bytes(), network_.to_v6().to_bytes(), length_);
}

bool address_range::has_host_bits() const
{
    auto any_after = [&](const auto& bytes) {
        for (unsigned bit = length_; bit < bytes.size() * 8; ++bit)
            if (bytes[bit / 8] & (0x80 >> bit % 8))
                return true;
        return false;
    };
    return network_.is_v4() ? any_after(network_.to_v4().to_bytes()) : any_after(network_.to_v6().to_bytes());
}

bool is_in(std::span<const address_range> ranges, const ip::address& address)
{
    return std::ranges::any_of(ranges, [&](const address_range& range) { return range.contains(address); });
}

std::array<std::uint8_t, 16> address_bucket(const ip::address& client)
{
    std::array<std::uint8_t, 16> out{};
    if (client.is_v4()) {
        // As the IPv4-mapped address, which is no /64.
        std::ranges::copy(client.to_v4().to_bytes(), out.begin() + 12);
        out[10] = out[11] = 0xff;
    } else {
        auto bytes = client.to_v6().to_bytes();
        std::copy_n(bytes.begin(), 8, out.begin());
    }
    return out;
}

std::array<std::uint8_t, 16> network_bucket(const ip::address& client)
{
    auto out = address_bucket(client);
    out[client.is_v4() ? 15 : 7] = 0;
    return out;
}

std::optional<std::array<std::vector<std::uint8_t>, 3>> surrounding_networks(const ip::address& client)
{
    if (client.is_v4())
        return std::nullopt;
    auto bytes = client.to_v6().to_bytes();
    auto leading = [&](int count) { return std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + count); };
    return std::array{leading(7), leading(6), leading(4)};
}

std::string network_of(const ip::address& client)
{
    if (client.is_v4())
        return ip::make_network_v4(client.to_v4(), 24).canonical().to_string();
    return ip::make_network_v6(client.to_v6(), 56).canonical().to_string();
}

} // namespace handlers
