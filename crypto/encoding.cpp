#include "crypto/encoding.hpp"

#include <array>

namespace crypto {

namespace {

constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view plain_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t not_in_alphabet = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet)
{
    std::array<std::uint8_t, 256> out;
    out.fill(not_in_alphabet);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        out[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return out;
}

constexpr auto url_values = values_of(url_alphabet);
constexpr auto plain_values = values_of(plain_alphabet);

std::optional<std::vector<std::uint8_t>> decode(std::string_view text,
                                                const std::array<std::uint8_t, 256>& values)
{
    if (text.size() % 4 == 1)
        return std::nullopt;
    std::vector<std::uint8_t> out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    for (char c : text) {
        auto value = values[static_cast<std::uint8_t>(c)];
        if (value == not_in_alphabet)
            return std::nullopt;
        bits = (bits << 6) | value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out.push_back(static_cast<std::uint8_t>(bits >> bit_count));
        }
    }
    if ((bits & ((1u << bit_count) - 1)) != 0)
        return std::nullopt;
    return out;
}

std::string encode(std::span<const std::uint8_t> bytes, std::string_view alphabet)
{
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    for (auto byte : bytes) {
        bits = (bits << 8) | byte;
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            out.push_back(alphabet[(bits >> bit_count) & 0x3f]);
        }
    }
    if (bit_count > 0)
        out.push_back(alphabet[(bits << (6 - bit_count)) & 0x3f]);
    return out;
}

} // namespace

std::string to_base64url(std::span<const std::uint8_t> bytes)
{
    return encode(bytes, url_alphabet);
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text)
{
    return decode(text, url_values);
}

std::string to_base64(std::span<const std::uint8_t> bytes)
{
    auto out = encode(bytes, plain_alphabet);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
        text.remove_suffix(1);
    return decode(text, plain_values);
}

std::string to_base64_unpadded(std::span<const std::uint8_t> bytes)
{
    return encode(bytes, plain_alphabet);
}

std::optional<std::vector<std::uint8_t>> from_base64_unpadded(std::string_view text)
{
    return decode(text, plain_values);
}

} // namespace crypto
