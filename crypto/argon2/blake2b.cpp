#include "crypto/argon2/blake2b.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace crypto {

static_assert(std::endian::native == std::endian::little, "words are loaded in native byte order");

namespace {

using words = std::array<std::uint64_t, 16>;

constexpr std::array<std::uint64_t, 8> initial = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/// The message schedule (RFC 7693, section 2.7); rounds 11 and 12 reuse the first two rows.
constexpr std::uint8_t schedule[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                           {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                           {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                           {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                           {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                           {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                           {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                           {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                           {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                           {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

/// The mixing function G (RFC 7693, section 3.1).
void mix(words& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint64_t x,
         std::uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 63);
}

void round(words& v, const words& m, const std::uint8_t (&s)[16])
{
    for (std::size_t i = 0; i < 4; ++i)
        mix(v, i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
    for (std::size_t i = 0; i < 4; ++i)
        mix(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[2 * i + 8]], m[s[2 * i + 9]]);
}

} // namespace

blake2b::blake2b(std::size_t digest_size) : chain_(initial)
{
    chain_[0] ^= 0x01010000 ^ digest_size;
}

blake2b::~blake2b()
{
    OPENSSL_cleanse(chain_.data(), sizeof chain_);
    OPENSSL_cleanse(buffer_.data(), sizeof buffer_);
}

/// The compression function F (RFC 7693, section 3.2) on the buffer.
void blake2b::compress(bool is_last)
{
    words v, message;
    std::memcpy(message.data(), buffer_.data(), sizeof message);
    std::ranges::copy(chain_, v.begin());
    std::ranges::copy(initial, v.begin() + 8);
    v[12] ^= hashed_;
    if (is_last)
        v[14] = ~v[14];
    for (std::size_t i = 0; i < 12; ++i)
        round(v, message, schedule[i % 10]);
    for (std::size_t i = 0; i < 8; ++i)
        chain_[i] ^= v[i] ^ v[i + 8];
    OPENSSL_cleanse(v.data(), sizeof v);
    OPENSSL_cleanse(message.data(), sizeof message);
}

blake2b& blake2b::update(std::span<const std::uint8_t> bytes)
{
    while (!bytes.empty()) {
        // Not as soon as the buffer is full: the last block is compressed differently.
        if (buffered_ == block_size) {
            hashed_ += block_size;
            compress(false);
            buffered_ = 0;
        }
        auto n = std::min(bytes.size(), block_size - buffered_);
        std::memcpy(buffer_.data() + buffered_, bytes.data(), n);
        buffered_ += n;
        bytes = bytes.subspan(n);
    }
    return *this;
}

void blake2b::finish(std::span<std::uint8_t> out)
{
    hashed_ += buffered_;
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(buffered_), buffer_.end(), std::uint8_t{0});
    compress(true);
    std::memcpy(out.data(), chain_.data(), out.size());
}

} // namespace crypto
