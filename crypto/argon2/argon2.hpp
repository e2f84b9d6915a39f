// argon2id, version 1.3 (RFC 9106), written for how processors wait for memory: it asks for a block's memory
// as soon as it is known which, and has a kernel for each width of vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace crypto {

/** How two blocks become one. All come to the same. */
enum class argon2_kernel { portable, avx2, avx512 };

inline constexpr argon2_kernel argon2_kernels[] = {argon2_kernel::portable, argon2_kernel::avx2,
                                                   argon2_kernel::avx512};

std::string_view name_of(argon2_kernel kernel);

/** Whether this processor and this system have what the kernel needs. */
bool can_run(argon2_kernel kernel);

/** The fastest of those that can run and that computed, when first asked for, what the portable one does. */
argon2_kernel best_argon2_kernel();

/** The inputs of RFC 9106, 3.1, by its bounds: each less than 4 GiB, 1 to 2^24 - 1 lanes, 8 KiB a lane at
    least, one pass at least. */
struct argon2_parameters {
    std::span<const std::uint8_t> password, salt;
    std::uint32_t memory_kib = 0;
    std::uint32_t iterations = 0;
    std::uint32_t lanes = 0;
    std::span<const std::uint8_t> secret = {}, associated_data = {};

    /** How many bytes of memory it works in: a multiple of four KiB a lane. */
    std::size_t memory_size() const;
};

/** The tag of RFC 9106, 3.2. Lanes are filled one after the other on this thread.
    @param out 4 bytes or more; tags of two lengths have nothing in common
    @param memory `memory_size()` bytes at least, aligned to 64, of any content; all zero afterwards, as far
   as it was used
    @param kernel one that can run
    @throw std::invalid_argument if something is out of bounds */
void argon2id(const argon2_parameters& in, std::span<std::uint8_t> out, std::span<std::uint8_t> memory,
              argon2_kernel kernel = best_argon2_kernel());

} // namespace crypto
