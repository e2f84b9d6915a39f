// Password hashing: argon2id (RFC 9106) in PHC string format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/// The cost parameters of argon2id. The default is OWASP's recommendation (19 MiB, two passes).
struct password_costs {
    std::uint32_t memory_kib = 19456;
    std::uint32_t iterations = 2;
    std::uint32_t lanes = 1;

    bool operator==(const password_costs&) const = default;

    /** Parse the parameters of a PHC string: `m=19456,t=2,p=1`.
        @return nothing if malformed or out of bounds: 8 KiB per lane at least, memory times passes 4 GiB at
        most (some three seconds of a core), 1 to 64 lanes */
    static std::optional<password_costs> parse(std::string_view text);
    std::string to_string() const;
};

/// The implementation of argon2id. Both compute the same; the built-in one is several times as fast.
enum class argon2_engine { built_in, libargon2 };

/// Longer passwords are rejected before any hashing.
inline constexpr std::size_t max_password_size = 1024;

/** Reusable working memory for one hash at a time: fresh pages would cost more than some hashes do. Grows to
    the largest size used. All zero between hashes, since each hash wipes what it used. Not thread-safe. */
class hash_arena {
public:
    hash_arena() = default;
    ~hash_arena();
    hash_arena(const hash_arena&) = delete;
    hash_arena& operator=(const hash_arena&) = delete;

    /** At least `size` bytes, page-aligned, in huge pages where available.
        @return null if there is no memory */
    std::uint8_t* reserve(std::size_t size);

    /// Release the memory if it is larger than this, so that one expensive hash does not keep it forever.
    void shrink_to(std::size_t size);

private:
    void release();

    std::uint8_t* memory_ = nullptr;
    std::size_t size_ = 0;
};

/** Hash a password with a random 16-byte salt to 32 bytes. At the default costs some 8 ms of a core with
    AVX2.
    @return `$argon2id$v=19$m=…,t=…,p=…$salt$hash`
    @throw std::length_error if the password is too long; failure if there is no memory */
std::string hash_password(hash_arena& arena, std::string_view password, const password_costs& costs,
                          argon2_engine engine = argon2_engine::built_in);

/** The default memory limit for verifying stored hashes: enough for the defaults of other systems, and a
    bound on what a stored value can allocate. */
inline constexpr std::uint32_t max_stored_memory_kib = 256 << 10;

/** Verify a password in constant time. False also for a malformed string, another algorithm or version, costs
    outside the bounds of password_costs, or memory above `max_memory_kib`.
    @throw failure if there is no memory */
bool verify_password(hash_arena& arena, std::string_view password, std::string_view phc,
                     std::uint32_t max_memory_kib = max_stored_memory_kib,
                     argon2_engine engine = argon2_engine::built_in);

/// Whether a stored hash has other costs, or another format, than hash_password() would give it now.
bool needs_rehash(std::string_view phc, const password_costs& costs);

/// A well-formed hash of these costs that no password matches: verified to equalize timing for missing
/// accounts.
std::string dummy_hash(const password_costs& costs);

} // namespace crypto
