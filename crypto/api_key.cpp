#include "crypto/api_key.hpp"

#include "crypto/random.hpp"

#include <algorithm>
#include <array>

namespace crypto {

namespace {

constexpr std::string_view start = "tnx_";
constexpr std::string_view base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base36 = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t prefix_size = 8;
constexpr std::size_t random_size = 32;
constexpr std::size_t checksum_size = 6;
constexpr std::size_t secret_at = start.size() + prefix_size + 1;
constexpr std::size_t checksum_at = secret_at + random_size;
constexpr std::size_t key_size = checksum_at + checksum_size;

constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) ? 0xedb88320u : 0u);
        out[i] = value;
    }
    return out;
}();

/** CRC-32 as zlib and Ethernet have it, in base62, the highest digit first. */
std::array<char, checksum_size> checksum(std::string_view text)
{
    std::uint32_t crc = 0xffffffffu;
    for (char c : text)
        crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
    crc = ~crc;
    std::array<char, checksum_size> out;
    for (auto digit = out.rbegin(); digit != out.rend(); ++digit, crc /= 62)
        *digit = base62[crc % 62];
    return out;
}

/** Letters drawn evenly: bytes that would favour some of them are thrown away. */
void append_random(std::string& out, std::string_view letters, std::size_t count)
{
    auto fair = static_cast<unsigned>(256 - 256 % letters.size());
    while (count > 0) {
        for (auto byte : random_bytes<16>()) {
            if (byte >= fair)
                continue;
            out.push_back(letters[byte % letters.size()]);
            if (--count == 0)
                break;
        }
    }
}

constexpr auto kinds = [] {
    std::array<std::uint8_t, 256> out{};
    for (char c : base62)
        out[static_cast<std::uint8_t>(c)] |= 1;
    for (char c : base36)
        out[static_cast<std::uint8_t>(c)] |= 2;
    return out;
}();

bool all_are(std::string_view text, std::uint8_t kind)
{
    return std::ranges::all_of(text,
                               [&](char c) { return (kinds[static_cast<std::uint8_t>(c)] & kind) != 0; });
}

} // namespace

new_api_key make_api_key()
{
    std::string prefix;
    append_random(prefix, base36, prefix_size);
    return make_api_key(prefix);
}

new_api_key make_api_key(std::string_view prefix)
{
    std::string text(start);
    text.reserve(key_size);
    text.append(prefix).push_back('_');
    append_random(text, base62, random_size);
    auto sum = checksum(text);
    text.append(sum.data(), sum.size());
    return {std::string(prefix), std::move(text)};
}

std::optional<std::string_view> parse_api_key(std::string_view text)
{
    if (text.size() != key_size || !text.starts_with(start) || text[secret_at - 1] != '_')
        return std::nullopt;
    auto prefix = text.substr(start.size(), prefix_size);
    if (!all_are(prefix, 2) || !all_are(text.substr(secret_at), 1))
        return std::nullopt;
    auto sum = checksum(text.substr(0, checksum_at));
    if (text.substr(checksum_at) != std::string_view(sum.data(), sum.size()))
        return std::nullopt;
    return prefix;
}

} // namespace crypto
