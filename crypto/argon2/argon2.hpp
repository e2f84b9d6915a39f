// argon2id, version 1.3 (RFC 9106): memory-latency optimized, with a kernel for each vector width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace crypto {

/// The implementations of the compression function. All compute the same.
enum class argon2_kernel { portable, avx2, avx512 };

inline constexpr argon2_kernel argon2_kernels[] = {argon2_kernel::portable, argon2_kernel::avx2,
                                                   argon2_kernel::avx512};

std::string_view name_of(argon2_kernel kernel);

/// Whether the processor and the operating system support a kernel.
bool can_run(argon2_kernel kernel);

/// The fastest supported kernel that passes a self-test against the portable one, run at the first call.
argon2_kernel best_argon2_kernel();

/** The inputs of RFC 9106, section 3.1, within its bounds: each less than 4 GiB, 1 to 2^24 - 1 lanes, at
    least 8 KiB per lane, at least one pass. */
struct argon2_parameters {
    std::span<const std::uint8_t> password, salt;
    std::uint32_t memory_kib = 0;
    std::uint32_t iterations = 0;
    std::uint32_t lanes = 0;
    std::span<const std::uint8_t> secret = {}, associated_data = {};

    /// The size of the working memory in bytes: a multiple of four KiB per lane.
    std::size_t memory_size() const;
};

/** Compute the tag of RFC 9106, section 3.2. Fills the lanes one after the other on the calling thread.
    @param out at least 4 bytes; tags of different lengths are unrelated
    @param memory at least memory_size() bytes, aligned to 64, of any content; wiped afterwards
    @param kernel a supported one
    @throw std::invalid_argument if a parameter is out of bounds */
void argon2id(const argon2_parameters& in, std::span<std::uint8_t> out, std::span<std::uint8_t> memory,
              argon2_kernel kernel = best_argon2_kernel());

} // namespace crypto
