#include "crypto/argon2/kernel.hpp"

#ifdef __AVX2__

#include <immintrin.h>

namespace crypto::argon2 {

namespace {

#define ALWAYS_INLINE [[gnu::always_inline]] inline

using vec = __m256i; // four words

ALWAYS_INLINE vec load(const std::uint64_t* from)
{
    return _mm256_load_si256(reinterpret_cast<const vec*>(from));
}

ALWAYS_INLINE void store(std::uint64_t* to, vec value)
{
    _mm256_store_si256(reinterpret_cast<vec*>(to), value);
}

ALWAYS_INLINE vec multiply_add(vec a, vec b)
{
    auto product = _mm256_mul_epu32(a, b);
    return _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(product, product));
}

alignas(32) constexpr std::uint8_t right_by_16[] = {2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                                                    2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9};
alignas(32) constexpr std::uint8_t right_by_24[] = {3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                                                    3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10};

ALWAYS_INLINE vec shuffle_bytes(vec x, const std::uint8_t* order)
{
    asm("" : "+r"(order)); // hides the constant: clang would replace one shuffle by two
    return _mm256_shuffle_epi8(x, *reinterpret_cast<const vec*>(order));
}

template <int Bits>
ALWAYS_INLINE vec rotate_right(vec x)
{
    if constexpr (Bits == 32)
        return _mm256_shuffle_epi32(x, 0b10'11'00'01);
    else if constexpr (Bits == 24)
        return shuffle_bytes(x, right_by_24);
    else if constexpr (Bits == 16)
        return shuffle_bytes(x, right_by_16);
    else
        return _mm256_or_si256(_mm256_srli_epi64(x, Bits), _mm256_slli_epi64(x, 64 - Bits));
}

/** The permutation P treats sixteen words as a matrix of four rows, a to d. The dependency chain of one
    matrix would leave execution units idle, so four are permuted together. */
using row = vec[4];

struct matrices {
    row a, b, c, d;
};

template <int Bits>
ALWAYS_INLINE void mix_quarter(row& a, row& b, row& d)
{
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
        a[i] = multiply_add(a[i], b[i]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
        d[i] = rotate_right<Bits>(_mm256_xor_si256(d[i], a[i]));
}

/** GB of RFC 9106, section 3.6, on every column of the matrices. */
ALWAYS_INLINE void mix(matrices& m)
{
    mix_quarter<32>(m.a, m.b, m.d);
    mix_quarter<24>(m.c, m.d, m.b);
    mix_quarter<16>(m.a, m.b, m.d);
    mix_quarter<63>(m.c, m.d, m.b);
}

template <int Count>
ALWAYS_INLINE void rotate_words(row& x)
{
    constexpr int order = Count == 1 ? 0b00'11'10'01 : Count == 2 ? 0b01'00'11'10 : 0b10'01'00'11;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
        x[i] = _mm256_permute4x64_epi64(x[i], order);
}

/** P on four matrices with one vector per row. To turn diagonals into columns, the RFC rotates b, c
    and d. Equivalent: keep b, which is ready last, and rotate a, c and d the other way. */
ALWAYS_INLINE void permute_whole(matrices& m)
{
    mix(m);
    rotate_words<3>(m.a);
    rotate_words<1>(m.c);
    rotate_words<2>(m.d);
    mix(m);
    rotate_words<1>(m.a);
    rotate_words<3>(m.c);
    rotate_words<2>(m.d);
}

/// Rotate a row, given as left and right half, by one word.
ALWAYS_INLINE void rotate_left_by_word(vec& left, vec& right)
{
    auto old = left;
    left = _mm256_alignr_epi8(right, old, 8);
    right = _mm256_alignr_epi8(old, right, 8);
}

ALWAYS_INLINE void rotate_right_by_word(vec& left, vec& right)
{
    auto old = left;
    left = _mm256_alignr_epi8(old, right, 8);
    right = _mm256_alignr_epi8(right, old, 8);
}

ALWAYS_INLINE void swap(vec& x, vec& y)
{
    auto old = x;
    x = y;
    y = old;
}

/// P on four matrices: vectors 0 and 1 are the left and right halves of a row of two of them, 2 and 3 of the
/// others.
ALWAYS_INLINE void permute_halves(matrices& m)
{
    mix(m);
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        rotate_right_by_word(m.a[i], m.a[i + 1]);
        rotate_left_by_word(m.c[i], m.c[i + 1]);
        swap(m.d[i], m.d[i + 1]);
    }
    mix(m);
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        rotate_left_by_word(m.a[i], m.a[i + 1]);
        rotate_right_by_word(m.c[i], m.c[i + 1]);
        swap(m.d[i], m.d[i + 1]);
    }
}

/// x ^ y, also stored in `out` (XORed with its previous value if `Xor`), since the end of G needs it again.
template <bool Xor>
ALWAYS_INLINE vec combine(const std::uint64_t* x, const std::uint64_t* y, std::uint64_t* out)
{
    auto both = _mm256_xor_si256(load(x), load(y));
    store(out, Xor ? _mm256_xor_si256(both, load(out)) : both);
    return both;
}

/// Permute four of the block's eight rows of sixteen words, from word `at`.
template <bool Xor>
ALWAYS_INLINE void permute_rows(const block& x, const block& y, block& out, block& scratch, std::size_t at)
{
    matrices m;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
        auto from = at + 16 * i;
        m.a[i] = combine<Xor>(x.words + from, y.words + from, out.words + from);
        m.b[i] = combine<Xor>(x.words + from + 4, y.words + from + 4, out.words + from + 4);
        m.c[i] = combine<Xor>(x.words + from + 8, y.words + from + 8, out.words + from + 8);
        m.d[i] = combine<Xor>(x.words + from + 12, y.words + from + 12, out.words + from + 12);
    }
    permute_whole(m);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        auto* to = scratch.words + at + 16 * i;
        store(to, m.a[i]);
        store(to + 4, m.b[i]);
        store(to + 8, m.c[i]);
        store(to + 12, m.d[i]);
    }
}

ALWAYS_INLINE void add_to(std::uint64_t* out, vec value)
{
    store(out, _mm256_xor_si256(load(out), value));
}

/// Permute four of the block's eight columns of two words, from word `at`.
ALWAYS_INLINE void permute_columns(const block& scratch, block& out, std::size_t at)
{
    matrices m;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        auto* from = scratch.words + at + 4 * (i / 2) + 16 * (i % 2);
        m.a[i] = load(from);
        m.b[i] = load(from + 32);
        m.c[i] = load(from + 64);
        m.d[i] = load(from + 96);
    }
    permute_halves(m);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        auto* to = out.words + at + 4 * (i / 2) + 16 * (i % 2);
        add_to(to, m.a[i]);
        add_to(to + 32, m.b[i]);
        add_to(to + 64, m.c[i]);
        add_to(to + 96, m.d[i]);
    }
}

struct avx2 {
    template <bool Xor, class Early>
    ALWAYS_INLINE static void compress(const block& x, const block& y, block& out, block& scratch,
                                       Early early)
    {
        permute_rows<Xor>(x, y, out, scratch, 0);
        permute_rows<Xor>(x, y, out, scratch, 64);
        permute_columns(scratch, out, 0);
        early(out.words[0]);
        permute_columns(scratch, out, 8);
    }
};

} // namespace

void fill_avx2(const instance& hash, const position& at)
{
    segment<avx2>(hash, at).fill();
}

} // namespace crypto::argon2

#else // another architecture: argon2.cpp never calls this

namespace crypto::argon2 {
void fill_avx2(const instance&, const position&) {}
} // namespace crypto::argon2

#endif
