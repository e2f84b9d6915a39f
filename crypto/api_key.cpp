#include "crypto/api_key.hpp"

#include "crypto/random.hpp"

#include <algorithm>
#include <array>

namespace crypto {

namespace {

constexpr std::string_view marker = "tnx_";
constexpr std::string_view base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base36 = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t prefix_size = 8;
constexpr std::size_t random_size = 32;
constexpr std::size_t checksum_size = 6;
constexpr std::size_t secret_offset = marker.size() + prefix_size + 1;
constexpr std::size_t checksum_offset = secret_offset + random_size;
constexpr std::size_t key_size = checksum_offset + checksum_size;

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

/// CRC-32 (zlib, Ethernet) in base62, most significant digit first.
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

/// Uniformly random characters of an alphabet, by rejection sampling.
void append_random(std::string& out, std::string_view alphabet, std::size_t count)
{
    auto limit = static_cast<unsigned>(256 - 256 % alphabet.size()); // bytes from here on would cause a bias
    while (count > 0) {
        for (auto byte : random_bytes<16>()) {
            if (byte >= limit)
                continue;
            out.push_back(alphabet[byte % alphabet.size()]);
            if (--count == 0)
                break;
        }
    }
}

constexpr std::uint8_t base62_bit = 1, base36_bit = 2;

/// Which alphabets each byte belongs to.
constexpr auto alphabets_of_byte = [] {
    std::array<std::uint8_t, 256> out{};
    for (char c : base62)
        out[static_cast<std::uint8_t>(c)] |= base62_bit;
    for (char c : base36)
        out[static_cast<std::uint8_t>(c)] |= base36_bit;
    return out;
}();

bool all_in(std::string_view text, std::uint8_t alphabet)
{
    return std::ranges::all_of(
        text, [&](char c) { return (alphabets_of_byte[static_cast<std::uint8_t>(c)] & alphabet) != 0; });
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
    std::string text(marker);
    text.reserve(key_size);
    text.append(prefix).push_back('_');
    append_random(text, base62, random_size);
    auto sum = checksum(text);
    text.append(sum.data(), sum.size());
    return {std::string(prefix), std::move(text)};
}

std::optional<std::string_view> parse_api_key(std::string_view text)
{
    if (text.size() != key_size || !text.starts_with(marker) || text[secret_offset - 1] != '_')
        return std::nullopt;
    auto prefix = text.substr(marker.size(), prefix_size);
    if (!all_in(prefix, base36_bit) || !all_in(text.substr(secret_offset), base62_bit))
        return std::nullopt;
    auto sum = checksum(text.substr(0, checksum_offset));
    if (text.substr(checksum_offset) != std::string_view(sum.data(), sum.size()))
        return std::nullopt;
    return prefix;
}

} // namespace crypto
