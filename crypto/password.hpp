// Passwords: argon2id (RFC 9106) in PHC string form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/** How much work a guess costs. The default is OWASP's (19 MiB, two passes). */
struct password_costs {
    std::uint32_t memory_kib = 19456;
    std::uint32_t iterations = 2;
    std::uint32_t lanes = 1;

    bool operator==(const password_costs&) const = default;

    /** @param text as in a PHC string: `m=19456,t=2,p=1`
        @return nothing if it has another shape or is out of bounds: 8 KiB a lane at least, memory times
        passes 4 GiB at most (some three seconds of a core), 1 to 64 lanes */
    static std::optional<password_costs> parse(std::string_view text);
    std::string to_string() const;
};

/** Who computes argon2id. Both come to the same; the library is there for whoever distrusts our own, which is
    several times as fast. */
enum class argon2_engine { own, libargon2 };

/** Longer ones are refused before any hashing. */
inline constexpr std::size_t longest_password = 1024;

/** Memory for one hash at a time, kept and used again: fresh pages would cost more than some hashes do. Grows
    to the largest costs it has met. Between hashes it is all zero: each hash wipes what it used. For one
   thread at a time. */
class hash_arena {
public:
    hash_arena() = default;
    ~hash_arena();
    hash_arena(const hash_arena&) = delete;
    hash_arena& operator=(const hash_arena&) = delete;

    /** At least `size` bytes, page-aligned and backed by huge pages where the system has them.
        @return null if there is no memory */
    std::uint8_t* reserve(std::size_t size);

    /** Give back all of it if it is larger than this: one outsize hash does not raise the budget for good. */
    void keep_at_most(std::size_t size);

private:
    void release();

    std::uint8_t* memory_ = nullptr;
    std::size_t size_ = 0;
};

/** Hash under a fresh 16-byte salt; the hash has 32 bytes. At the default costs some 8 ms of a core with
   AVX2.
    @return `$argon2id$v=19$m=…,t=…,p=…$salt$hash`
    @throw std::length_error if the password is too long; failure if there is no memory */
std::string hash_password(hash_arena& arena, std::string_view password, const password_costs& costs,
                          argon2_engine engine = argon2_engine::own);

/** Stored hashes that want more memory than this do not verify, unless a caller allows for them: room for
    what other systems make by default, and a bound to what a stored value can order. */
inline constexpr std::uint32_t stored_ceiling_kib = 256 << 10;

/** Whether `password` is the one that `phc` was made of; compared in constant time. False also for a
    malformed string, another algorithm or version, costs out of password_costs' bounds or memory above
    `ceiling_kib`.
    @throw failure if there is no memory */
bool verify_password(hash_arena& arena, std::string_view password, std::string_view phc,
                     std::uint32_t ceiling_kib = stored_ceiling_kib,
                     argon2_engine engine = argon2_engine::own);

/** Whether a stored hash was made at other costs, or in another way, than now. */
bool needs_rehash(std::string_view phc, const password_costs& costs);

/** A well-formed string of these costs that no password verifies against: to spend the time on when there is
    no account. */
std::string dummy_hash(const password_costs& costs);

} // namespace crypto
