#include "crypto/token_signer.hpp"

#include "crypto/encoding.hpp"

namespace crypto {

namespace {

constexpr std::size_t mac_size = 16;

} // namespace

digest token_signer::mac_of(std::string_view payload, std::string_view context)
{
    auto input = std::to_string(context.size()); // the length separates context and payload
    input.append(":").append(context).append(payload);
    return mac_(input);
}

std::string token_signer::sign(std::string_view payload, std::string_view context)
{
    auto mac = mac_of(payload, context);
    std::string token(payload);
    token.append(text_of(std::span(mac).first(mac_size)));
    return to_base64url(bytes_of(token));
}

std::optional<std::string> token_signer::verify(std::string_view token, std::string_view context)
{
    auto bytes = from_base64url(token);
    if (!bytes || bytes->size() < mac_size)
        return std::nullopt;
    auto content = std::span<const std::uint8_t>(*bytes);
    auto payload = text_of(content.first(content.size() - mac_size));
    auto mac = mac_of(payload, context);
    if (!equal_constant_time(content.last(mac_size), std::span(mac).first(mac_size)))
        return std::nullopt;
    return std::string(payload);
}

} // namespace crypto
