#include "crypto/siphash.hpp"

#include <bit>
#include <cstring>

namespace crypto {

namespace {

static_assert(std::endian::native == std::endian::little);

std::uint64_t load(const void* from, std::size_t size = 8)
{
    std::uint64_t out = 0;
    std::memcpy(&out, from, size);
    return out;
}

struct state {
    std::uint64_t v0, v1, v2, v3;

    void round()
    {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    void compress(std::uint64_t word)
    {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }

    std::uint64_t finish()
    {
        for (int i = 0; i < 4; ++i)
            round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

} // namespace

siphash::siphash(std::span<const std::uint8_t, key_size> key)
    : key_low_(load(key.data())), key_high_(load(key.data() + 8))
{}

siphash_value siphash::operator()(std::string_view text) const
{
    // The constants are "somepseudorandomlygeneratedbytes"; 0xee in v1 and v2 selects 128 bits of output.
    state s{key_low_ ^ 0x736f6d6570736575, key_high_ ^ 0x646f72616e646f6d ^ 0xee,
            key_low_ ^ 0x6c7967656e657261, key_high_ ^ 0x7465646279746573};
    auto at = text.data();
    for (auto end = at + text.size() / 8 * 8; at != end; at += 8)
        s.compress(load(at));
    s.compress(load(at, text.size() % 8) | std::uint64_t{text.size()} << 56);

    siphash_value out;
    s.v2 ^= 0xee;
    out[0] = s.finish();
    s.v1 ^= 0xdd;
    out[1] = s.finish();
    return out;
}

} // namespace crypto
