// BLAKE2b (RFC 7693) with any digest length, which OpenSSL 3.0 lacks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace crypto {

/** An incremental, unkeyed hash; its state is wiped on destruction. Written for argon2, which hashes little
    with it, so it is plain code without vector instructions. */
class blake2b {
public:
    static constexpr std::size_t max_digest_size = 64;

    /// @param digest_size 1 to 64 bytes; digests of different sizes are unrelated
    explicit blake2b(std::size_t digest_size);
    ~blake2b();
    blake2b(const blake2b&) = delete;
    blake2b& operator=(const blake2b&) = delete;

    blake2b& update(std::span<const std::uint8_t> bytes);

    /// The last call, once. @param out of the size given to the constructor
    void finish(std::span<std::uint8_t> out);

private:
    static constexpr std::size_t block_size = 128;

    void compress(bool is_last);

    std::array<std::uint64_t, 8> chain_;
    std::array<std::uint8_t, block_size> buffer_{};
    std::size_t buffered_ = 0;
    /// In bytes; the upper half of RFC 7693's counter stays zero.
    std::uint64_t hashed_ = 0;
};

} // namespace crypto
