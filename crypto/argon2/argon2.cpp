#include "crypto/argon2/argon2.hpp"

#include "crypto/argon2/blake2b.hpp"
#include "crypto/argon2/kernel.hpp"

#include <openssl/crypto.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <vector>

namespace crypto {

static_assert(std::endian::native == std::endian::little, "blocks are processed in native byte order");

namespace {

using bytes = std::span<const std::uint8_t>;
using argon2::block;

constexpr std::uint32_t version = 0x13;
constexpr std::uint32_t type_id = 2;

std::array<std::uint8_t, 4> le32(std::size_t value)
{
    return std::bit_cast<std::array<std::uint8_t, 4>>(static_cast<std::uint32_t>(value));
}

/// A 64-byte digest, wiped on destruction.
struct long_digest {
    std::array<std::uint8_t, blake2b::max_digest_size> bytes;
    ~long_digest() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

/// H_0 of RFC 9106, section 3.2.
void hash_inputs(const argon2_parameters& in, std::size_t tag_size, long_digest& out)
{
    blake2b hash(out.bytes.size());
    for (std::size_t number : {std::size_t{in.lanes}, tag_size, std::size_t{in.memory_kib},
                               std::size_t{in.iterations}, std::size_t{version}, std::size_t{type_id}})
        hash.update(le32(number));
    for (auto text : {in.password, in.salt, in.secret, in.associated_data})
        hash.update(le32(text.size())).update(text);
    hash.finish(out.bytes);
}

/// H' of RFC 9106, section 3.3: BLAKE2b of variable length.
void hash_to(std::span<std::uint8_t> out, std::initializer_list<bytes> parts)
{
    constexpr std::size_t full = blake2b::max_digest_size, half = full / 2;
    blake2b first(std::min(out.size(), full));
    first.update(le32(out.size()));
    for (auto part : parts)
        first.update(part);
    if (out.size() <= full)
        return first.finish(out);
    long_digest link;
    first.finish(link.bytes);
    for (;;) {
        std::copy_n(link.bytes.begin(), half, out.begin());
        out = out.subspan(half);
        if (out.size() <= full)
            return blake2b(out.size()).update(link.bytes).finish(out);
        blake2b(full).update(link.bytes).finish(link.bytes);
    }
}

std::span<std::uint8_t> bytes_of(block& in)
{
    return {reinterpret_cast<std::uint8_t*>(&in), sizeof in};
}

/// Initialize the first two blocks of every lane.
void initialize_lanes(const argon2::instance& hash, bytes seed)
{
    for (std::uint32_t lane = 0; lane < hash.lanes; ++lane)
        for (std::uint32_t column = 0; column < 2; ++column) {
            auto& first = hash.memory[std::size_t{lane} * hash.lane_length + column];
            hash_to(bytes_of(first), {seed, le32(column), le32(lane)});
        }
}

void fill_memory(const argon2::instance& hash, argon2_kernel kernel)
{
    auto fill_segment = kernel == argon2_kernel::avx512 ? &argon2::fill_avx512
                        : kernel == argon2_kernel::avx2 ? &argon2::fill_avx2
                                                        : &argon2::fill_portable;
    for (std::uint32_t pass = 0; pass < hash.passes; ++pass)
        for (std::uint32_t slice = 0; slice < argon2::slices; ++slice)
            for (std::uint32_t lane = 0; lane < hash.lanes; ++lane)
                fill_segment(hash, {pass, slice, lane});
}

/// Compute the tag from the XOR of the lanes' last blocks.
void finalize(const argon2::instance& hash, std::span<std::uint8_t> out)
{
    auto& sum = hash.memory[hash.lane_length - 1];
    for (std::uint32_t lane = 1; lane < hash.lanes; ++lane) {
        auto& last = hash.memory[std::size_t{lane} * hash.lane_length + hash.lane_length - 1];
        for (std::size_t i = 0; i < argon2::words_per_block; ++i)
            sum.words[i] ^= last.words[i];
    }
    hash_to(out, {bytes_of(sum)});
}

/** Wipe with non-temporal stores where available: their time does not depend on cache contention, where
    memset was measured slightly faster without it and twice as slow with it. Not optimized away. */
void wipe(std::span<block> memory)
{
#ifdef __SSE2__
    auto* at = reinterpret_cast<__m128i*>(memory.data());
    for (auto* end = at + memory.size_bytes() / sizeof(__m128i); at != end; ++at)
        _mm_stream_si128(at, _mm_setzero_si128());
    _mm_sfence();
#else
    std::ranges::fill(memory, block{});
#endif
    asm volatile("" : : "r"(memory.data()) : "memory");
}

void check(const argon2_parameters& in, std::size_t tag_size, std::span<std::uint8_t> memory,
           argon2_kernel kernel)
{
    constexpr std::size_t max_size = std::numeric_limits<std::uint32_t>::max();
    auto fits = [](bytes text) { return text.size() <= max_size; };
    bool within_bounds =
        in.lanes >= 1 && in.lanes < 1 << 24 && in.memory_kib / 8 >= in.lanes && in.iterations >= 1 &&
        tag_size >= 4 && tag_size <= max_size && fits(in.password) && fits(in.salt) && fits(in.secret) &&
        fits(in.associated_data) && memory.size() >= in.memory_size() &&
        reinterpret_cast<std::uintptr_t>(memory.data()) % alignof(block) == 0 && can_run(kernel);
    if (!within_bounds)
        throw std::invalid_argument("argon2id parameters out of bounds");
}

} // namespace

std::string_view name_of(argon2_kernel kernel)
{
    constexpr std::string_view names[] = {"portable", "avx2", "avx512"};
    return names[static_cast<std::size_t>(kernel)];
}

bool can_run(argon2_kernel kernel)
{
#ifdef __x86_64__
    if (kernel == argon2_kernel::avx2)
        return __builtin_cpu_supports("avx2");
    if (kernel == argon2_kernel::avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
#endif
    return kernel == argon2_kernel::portable;
}

std::size_t argon2_parameters::memory_size() const
{
    auto unit = std::size_t{argon2::slices} * lanes;
    return unit == 0 ? 0 : memory_kib / unit * unit * sizeof(block);
}

void argon2id(const argon2_parameters& in, std::span<std::uint8_t> out, std::span<std::uint8_t> memory,
              argon2_kernel kernel)
{
    check(in, out.size(), memory, kernel);
    std::span blocks(reinterpret_cast<block*>(memory.data()), in.memory_size() / sizeof(block));
    auto lane_length = static_cast<std::uint32_t>(blocks.size() / in.lanes);
    argon2::instance hash{blocks.data(), in.lanes, lane_length, lane_length / argon2::slices, in.iterations};
    long_digest seed;
    hash_inputs(in, out.size(), seed);
    initialize_lanes(hash, seed.bytes);
    fill_memory(hash, kernel);
    finalize(hash, out);
    wipe(blocks);
}

namespace {

/// Self-test: compare a kernel with the portable one over several passes, lanes and slices of a few blocks.
bool agrees_with_portable(argon2_kernel kernel)
{
    std::array<std::uint8_t, 16> text{1, 2, 3};
    argon2_parameters sample{.password = text, .salt = text, .memory_kib = 64, .iterations = 3, .lanes = 2};
    std::vector<block> memory(sample.memory_size() / sizeof(block));
    std::span bytes(reinterpret_cast<std::uint8_t*>(memory.data()), sample.memory_size());
    std::array<std::uint8_t, 32> expected{}, computed{};
    argon2id(sample, expected, bytes, argon2_kernel::portable);
    argon2id(sample, computed, bytes, kernel);
    return computed == expected;
}

} // namespace

// The self-test runs once, in a fraction of a millisecond: on untested processors, slow is better than wrong.
argon2_kernel best_argon2_kernel()
{
    static const auto best = [] {
        for (auto kernel : {argon2_kernel::avx512, argon2_kernel::avx2})
            if (can_run(kernel) && agrees_with_portable(kernel))
                return kernel;
        return argon2_kernel::portable;
    }();
    return best;
}

} // namespace crypto
