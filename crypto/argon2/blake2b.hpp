// BLAKE2b (RFC 7693) of any length of digest, which OpenSSL 3.0 has not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace crypto {

/** A digest under way, without a key. What it was given is wiped at its end. Made for argon2, which hashes
    little with it: no faster than plain code is. */
class blake2b {
public:
    static constexpr std::size_t longest_digest = 64;

    /** @param digest_size 1 to 64 bytes; digests of two sizes have nothing in common */
    explicit blake2b(std::size_t digest_size);
    ~blake2b();
    blake2b(const blake2b&) = delete;
    blake2b& operator=(const blake2b&) = delete;

    blake2b& update(std::span<const std::uint8_t> bytes);

    /** Once, as the last call. @param out of the size that the constructor was given */
    void finish(std::span<std::uint8_t> out);

private:
    static constexpr std::size_t block_size = 128;

    void compress(bool is_last);

    std::array<std::uint64_t, 8> chain_;
    std::array<std::uint8_t, block_size> buffer_{};
    std::size_t buffered_ = 0;
    std::uint64_t hashed_ = 0; // bytes; the upper half of RFC 7693's counter stays zero
};

} // namespace crypto
