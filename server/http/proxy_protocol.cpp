#include "server/http/proxy_protocol.hpp"

#include "handlers/access/client_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace server {

namespace ip = boost::asio::ip;

namespace {

using namespace std::string_view_literals;

constexpr auto signature = "\r\n\r\n\0\r\nQUIT\n"sv;
/// Signature, version and command, family and protocol, length.
constexpr std::size_t fixed_size = signature.size() + 4;

constexpr unsigned version_2 = 0x20, command_local = 0, command_proxy = 1;
constexpr unsigned unspecified = 0x00, tcp_over_ipv4 = 0x11, tcp_over_ipv6 = 0x21;
/// Valid, but of no client that HTTP is spoken with: UDP over IPv4 and IPv6, UNIX stream and datagram
/// sockets.
constexpr std::array unsupported{0x12u, 0x22u, 0x31u, 0x32u};

unsigned byte_at(std::string_view bytes, std::size_t at)
{
    return static_cast<unsigned char>(bytes[at]);
}

std::size_t big_endian_at(std::string_view bytes, std::size_t at)
{
    return std::size_t{byte_at(bytes, at)} << 8 | byte_at(bytes, at + 1);
}

template <class Address>
ip::address address_at(std::string_view bytes)
{
    typename Address::bytes_type out;
    std::ranges::transform(bytes.substr(0, out.size()), out.begin(),
                           [](char c) { return static_cast<unsigned char>(c); });
    return handlers::plain(Address(out));
}

/// Whether extensions fill the text: each has a type, a length of two bytes and a value.
bool are_extensions(std::string_view rest)
{
    while (!rest.empty()) {
        if (rest.size() < 3 || rest.size() - 3 < big_endian_at(rest, 1))
            return false;
        rest.remove_prefix(3 + big_endian_at(rest, 1));
    }
    return true;
}

proxy_header complete(std::size_t size, std::optional<ip::address> client = std::nullopt)
{
    return {proxy_header_state::complete, size, std::move(client)};
}

proxy_header malformed()
{
    return {proxy_header_state::malformed, 0, std::nullopt};
}

} // namespace

proxy_header read_proxy_header(std::string_view bytes)
{
    // Compared as far as received: what is no header is malformed at once.
    if (!signature.starts_with(bytes.substr(0, signature.size())))
        return malformed();
    if (bytes.size() < fixed_size)
        return {};
    auto command = byte_at(bytes, signature.size()) ^ version_2;
    auto family = byte_at(bytes, signature.size() + 1);
    auto size = fixed_size + big_endian_at(bytes, signature.size() + 2);
    if (size > max_proxy_header || (command != command_local && command != command_proxy))
        return malformed();
    if (bytes.size() < size)
        return {};
    auto body = bytes.substr(fixed_size, size - fixed_size);
    // The rest is to be ignored. What a receiver does not support counts as unspecified.
    if (command == command_local || family == unspecified || std::ranges::count(unsupported, family) > 0)
        return complete(size);

    // Source and destination address, then both ports.
    bool is_ipv4 = family == tcp_over_ipv4;
    if (!is_ipv4 && family != tcp_over_ipv6)
        return malformed();
    std::size_t addresses = is_ipv4 ? 4 + 4 + 2 + 2 : 16 + 16 + 2 + 2;
    if (body.size() < addresses || !are_extensions(body.substr(addresses)))
        return malformed();
    return complete(size, is_ipv4 ? address_at<ip::address_v4>(body) : address_at<ip::address_v6>(body));
}

} // namespace server
