// What argon2's kernels have in common: which block is made of which others (RFC 9106, 3.3 and 3.4). A kernel
// itself is how two blocks become one on some kind of processor.
//
// Each kernel's file is compiled for its own instructions. So that none of them gets into code which other
// processors run, such a file defines nothing but its fill function that a linker could share: its kernel is
// a type of its own, which makes whatever is instantiated with it its own too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace crypto::argon2 {

inline constexpr std::size_t words_of_block = 128;

struct alignas(64) block {
    std::uint64_t words[words_of_block];
};

inline constexpr std::uint32_t slices = 4;

/** One hash under way: `lanes` rows of `lane_length` blocks, filled segment by segment. */
struct instance {
    block* memory;
    std::uint32_t lanes;
    std::uint32_t lane_length;    // blocks
    std::uint32_t segment_length; // blocks: a lane's share of a slice
    std::uint32_t passes;
};

struct position {
    std::uint32_t pass, slice, lane;
};

/** Fill one segment. The segments of one slice need nothing of each other. */
void fill_portable(const instance& hash, const position& at);
void fill_avx2(const instance& hash, const position& at);
void fill_avx512(const instance& hash, const position& at);

/** @tparam Kernel has, for the compression function G (RFC 9106, 3.5),
        template <bool Xor, class Early>
        static void compress(const block& x, const block& y, block& out, block& scratch, Early early);
    which makes `out` G(x, y), XORed with what it was if `Xor`. As soon as the first word of `out` is
    known, well before the others, it calls early(word). */
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
            fill_by_counter();
        else if (at_.pass == 0)
            fill_by_content<false>();
        else
            fill_by_content<true>();
        scratch_ = block{};
        asm volatile("" : : "r"(&scratch_) : "memory"); // it is on the stack, and not to stay there
    }

private:
    /** Data-independent addressing (3.4.1.2): no password is told by which memory is touched. */
    void fill_by_counter()
    {
        block addresses;
        std::uint32_t first = at_.slice == 0 ? 2 : 0; // a lane's first two are there already
        for (auto i = first; i < hash_.segment_length; ++i) {
            if (i == first || i % words_of_block == 0)
                make_addresses(i / words_of_block + 1, addresses);
            auto& from = reference(i, addresses.words[i % words_of_block]);
            // The last address of a block of them is followed by a wrong guess, which harms nothing.
            auto ahead = [&](std::uint64_t) {
                prefetch(reference(i + 1, addresses.words[(i + 1) % words_of_block]));
            };
            Kernel::template compress<false>(previous(i), from, target(i), scratch_, ahead);
        }
    }

    /** Data-dependent addressing (3.4.1.1): the previous block's first word tells where the next comes from.
        Most of the time goes into waiting for that memory, unless it is asked for early. */
    template <bool Xor>
    void fill_by_content()
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
        auto nothing = [](std::uint64_t) {};
        Kernel::template compress<false>(zero, input, out, scratch_, nothing);
        input = out;
        Kernel::template compress<false>(zero, input, out, scratch_, nothing);
    }

    /** The block that block `i` of this segment is made of, beside the one before it (3.4.2). */
    const block& reference(std::uint32_t i, std::uint64_t word) const
    {
        auto lane = at_.lane;
        if (hash_.lanes > 1 && (at_.pass > 0 || at_.slice > 0))
            lane = static_cast<std::uint32_t>((word >> 32) % hash_.lanes);
        auto available = at_.pass == 0 ? begin_ : hash_.lane_length - hash_.segment_length;
        if (lane == at_.lane)
            available += i - 1; // of this segment too, except the one before
        else if (i == 0)
            --available;
        auto x = word & 0xffffffff;
        auto back = std::uint64_t{available} * ((x * x) >> 32) >> 32;
        auto column = available - 1 - back;
        if (at_.pass > 0 && at_.slice < slices - 1)
            column += begin_ + hash_.segment_length; // the oldest
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

    static void prefetch(const block& which)
    {
        constexpr std::size_t words_of_line = 8;
        for (std::size_t i = 0; i < words_of_block; i += words_of_line)
            __builtin_prefetch(which.words + i);
    }

    const instance hash_; // a copy of our own: nothing that is stored in a block could change it
    const position at_;
    block* const lane_;
    const std::uint32_t begin_;
    block scratch_;
};

} // namespace crypto::argon2
