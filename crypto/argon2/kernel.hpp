// The part of argon2 that all kernels share: block addressing (RFC 9106, sections 3.3 and 3.4). A kernel is
// the compression function for one instruction set.
//
// Each kernel's file is compiled with its own instruction set flags. To keep these instructions out of code
// that runs on other processors, such a file has no symbol that the linker could merge with another file's,
// except its fill function: its kernel is a local type, and so is every template instantiated with it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crypto::argon2 {

inline constexpr std::size_t words_per_block = 128;

struct alignas(64) block {
    std::uint64_t words[words_per_block];
};

inline constexpr std::uint32_t slices = 4;

/// The state of one hash: `lanes` rows of `lane_length` blocks, filled segment by segment.
struct instance {
    block* memory;
    std::uint32_t lanes;
    /// In blocks.
    std::uint32_t lane_length;
    /// In blocks: a lane's share of a slice.
    std::uint32_t segment_length;
    std::uint32_t passes;
};

struct position {
    std::uint32_t pass, slice, lane;
};

/// Fill one segment. The segments of one slice are independent of each other.
void fill_portable(const instance& hash, const position& at);
void fill_avx2(const instance& hash, const position& at);
void fill_avx512(const instance& hash, const position& at);

/** Fills one segment.
    @tparam Kernel implements the compression function G (RFC 9106, section 3.5):
        template <bool Xor, class Early>
        static void compress(const block& x, const block& y, block& out, block& scratch, Early early);
    sets `out` to G(x, y), XORed with its previous value if `Xor`, and calls early(word) as soon as the first
    word of `out` is known, well before the others. */
template <class Kernel>
class segment {
public:
    segment(const instance& hash, const position& at)
        : hash_(hash), at_(at), lane_(hash.memory + std::size_t{at.lane} * hash.lane_length),
          begin_(at.slice * hash.segment_length)
    {}

    void fill()
    {
        if (at_.pass == 0 && at_.slice < slices / 2)
            fill_data_independent();
        else if (at_.pass == 0)
            fill_data_dependent<false>();
        else
            fill_data_dependent<true>();
        scratch_ = block{};
        // The scratch block is on the stack: keep the compiler from optimizing the wipe away.
        asm volatile("" : : "r"(&scratch_) : "memory");
    }

private:
    /// Data-independent addressing (section 3.4.1.2): memory accesses reveal nothing about the password.
    void fill_data_independent()
    {
        block addresses;
        // The first two blocks of a lane are already set.
        std::uint32_t first = at_.slice == 0 ? 2 : 0;
        for (auto i = first; i < hash_.segment_length; ++i) {
            if (i == first || i % words_per_block == 0)
                make_addresses(i / words_per_block + 1, addresses);
            auto& from = reference(i, addresses.words[i % words_per_block]);
            // After the last address of an address block, this prefetches a wrong block, which is harmless.
            auto ahead = [&](std::uint64_t) {
                prefetch(reference(i + 1, addresses.words[(i + 1) % words_per_block]));
            };
            Kernel::template compress<false>(previous(i), from, target(i), scratch_, ahead);
        }
    }

    /** Data-dependent addressing (section 3.4.1.1): the first word of the previous block determines the
        reference block. Most of the time goes into waiting for that memory, unless it is prefetched. */
    template <bool Xor>
    void fill_data_dependent()
    {
        auto* next = &reference(0, previous(0).words[0]);
        for (std::uint32_t i = 0; i < hash_.segment_length; ++i) {
            auto& from = *next;
            auto ahead = [&](std::uint64_t word) {
                next = &reference(i + 1, word);
                prefetch(*next);
            };
            Kernel::template compress<Xor>(previous(i), from, target(i), scratch_, ahead);
        }
    }

    void make_addresses(std::uint64_t counter, block& out)
    {
        constexpr std::uint64_t argon2id = 2;
        block zero{};
        block input{{at_.pass, at_.lane, at_.slice, std::uint64_t{hash_.lanes} * hash_.lane_length,
                     hash_.passes, argon2id, counter}};
        auto ignore = [](std::uint64_t) {};
        Kernel::template compress<false>(zero, input, out, scratch_, ignore);
        input = out;
        Kernel::template compress<false>(zero, input, out, scratch_, ignore);
    }

    /// The reference block of block `i` of this segment (section 3.4.2).
    const block& reference(std::uint32_t i, std::uint64_t word) const
    {
        auto lane = at_.lane;
        if (hash_.lanes > 1 && (at_.pass > 0 || at_.slice > 0))
            lane = static_cast<std::uint32_t>((word >> 32) % hash_.lanes);
        auto available = at_.pass == 0 ? begin_ : hash_.lane_length - hash_.segment_length;
        if (lane == at_.lane)
            // Blocks of this segment too, except the previous one.
            available += i - 1;
        else if (i == 0)
            --available;
        auto x = word & 0xffffffff;
        auto distance = std::uint64_t{available} * ((x * x) >> 32) >> 32;
        auto column = available - 1 - distance;
        if (at_.pass > 0 && at_.slice < slices - 1)
            // The oldest slice.
            column += begin_ + hash_.segment_length;
        if (column >= hash_.lane_length)
            column -= hash_.lane_length;
        return hash_.memory[std::size_t{lane} * hash_.lane_length + column];
    }

    block& target(std::uint32_t i) { return lane_[begin_ + i]; }

    const block& previous(std::uint32_t i) const
    {
        auto column = begin_ + i;
        return lane_[column > 0 ? column - 1 : hash_.lane_length - 1];
    }

    static void prefetch(const block& target)
    {
        constexpr std::size_t words_per_line = 8;
        for (std::size_t i = 0; i < words_per_block; i += words_per_line)
            __builtin_prefetch(target.words + i);
    }

    /// A copy, which stores to blocks cannot alias.
    const instance hash_;
    const position at_;
    block* const lane_;
    const std::uint32_t begin_;
    block scratch_;
};

} // namespace crypto::argon2
