#include "crypto/argon2/kernel.hpp"

#include <bit>

namespace crypto::argon2 {

namespace {

std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b)
{
    return a + b + 2 * (a & 0xffffffff) * (b & 0xffffffff);
}

/// GB of RFC 9106, section 3.6.
[[gnu::always_inline]] inline void mix(std::uint64_t& a, std::uint64_t& b, std::uint64_t& c, std::uint64_t& d)
{
    a = multiply_add(a, b);
    d = std::rotr(d ^ a, 32);
    c = multiply_add(c, d);
    b = std::rotr(b ^ c, 24);
    a = multiply_add(a, b);
    d = std::rotr(d ^ a, 16);
    c = multiply_add(c, d);
    b = std::rotr(b ^ c, 63);
}

/// P of RFC 9106, section 3.6, on eight pairs of words, `Stride` words apart.
template <std::size_t Stride>
void permute(std::uint64_t* v)
{
    std::uint64_t w[16];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i)
        w[i] = v[i / 2 * Stride + i % 2];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i)
        mix(w[i], w[i + 4], w[i + 8], w[i + 12]);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i)
        mix(w[i], w[(i + 1) % 4 + 4], w[(i + 2) % 4 + 8], w[(i + 3) % 4 + 12]);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i)
        v[i / 2 * Stride + i % 2] = w[i];
}

struct portable {
    template <bool Xor, class Early>
    static void compress(const block& x, const block& y, block& out, block& scratch, Early early)
    {
        for (std::size_t i = 0; i < words_per_block; ++i) {
            auto word = x.words[i] ^ y.words[i];
            scratch.words[i] = word;
            out.words[i] = Xor ? out.words[i] ^ word : word;
        }
        for (std::size_t row = 0; row < words_per_block; row += 16)
            permute<2>(scratch.words + row);
        permute<16>(scratch.words);
        early(out.words[0] ^ scratch.words[0]);
        for (std::size_t column = 2; column < 16; column += 2)
            permute<16>(scratch.words + column);
        for (std::size_t i = 0; i < words_per_block; ++i)
            out.words[i] ^= scratch.words[i];
    }
};

} // namespace

void fill_portable(const instance& hash, const position& at)
{
    segment<portable>(hash, at).fill();
}

} // namespace crypto::argon2
