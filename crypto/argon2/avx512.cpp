#include "crypto/argon2/kernel.hpp"

#if defined(__AVX512F__) && defined(__AVX512BW__)

#include <immintrin.h>

namespace crypto::argon2 {

namespace {

#define ALWAYS_INLINE [[gnu::always_inline]] inline

using vec = __m512i; // eight words

ALWAYS_INLINE vec load(const std::uint64_t* from)
{
    return _mm512_load_si512(from);
}

ALWAYS_INLINE void store(std::uint64_t* to, vec value)
{
    _mm512_store_si512(to, value);
}

ALWAYS_INLINE vec multiply_add(vec a, vec b)
{
    auto product = _mm512_mul_epu32(a, b);
    return _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(product, product));
}

/** The permutation P treats sixteen words as a matrix of four rows, a to d. 2 * N of them are permuted
    together, to keep the execution units busy. */
template <std::size_t N>
struct matrices {
    vec a[N], b[N], c[N], d[N];
};

template <int Bits, std::size_t N>
ALWAYS_INLINE void mix_quarter(vec (&a)[N], vec (&b)[N], vec (&d)[N])
{
#pragma GCC unroll 4
    for (std::size_t i = 0; i < N; ++i)
        a[i] = multiply_add(a[i], b[i]);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < N; ++i)
        d[i] = _mm512_ror_epi64(_mm512_xor_si512(d[i], a[i]), Bits);
}

/** GB of RFC 9106, section 3.6, on every column of the matrices. */
template <std::size_t N>
ALWAYS_INLINE void mix(matrices<N>& m)
{
    mix_quarter<32>(m.a, m.b, m.d);
    mix_quarter<24>(m.c, m.d, m.b);
    mix_quarter<16>(m.a, m.b, m.d);
    mix_quarter<63>(m.c, m.d, m.b);
}

template <int Count>
ALWAYS_INLINE void rotate_words(vec (&x)[4])
{
    constexpr int order = Count == 1 ? 0b00'11'10'01 : Count == 2 ? 0b01'00'11'10 : 0b10'01'00'11;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
        x[i] = _mm512_permutex_epi64(x[i], order);
}

/// Arrange two rows of the block, of two vectors each, as two matrices side by side in the rows a to d.
ALWAYS_INLINE void interleave_rows(vec first, vec second, vec& lower, vec& upper)
{
    lower = _mm512_shuffle_i64x2(first, second, 0b01'00'01'00);
    upper = _mm512_shuffle_i64x2(first, second, 0b11'10'11'10);
}

/** Permute the block's eight rows of sixteen words. To turn diagonals into columns, the RFC rotates b, c and
    d. Equivalent: keep b, which is ready last, and rotate a, c and d the other way; the final rotation is
    combined with moving the words back into block order. `v` holds the block in order. */
ALWAYS_INLINE void permute_rows(vec (&v)[16])
{
    matrices<4> m;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        interleave_rows(v[4 * i], v[4 * i + 2], m.a[i], m.b[i]);
        interleave_rows(v[4 * i + 1], v[4 * i + 3], m.c[i], m.d[i]);
    }
    mix(m);
    rotate_words<3>(m.a);
    rotate_words<1>(m.c);
    rotate_words<2>(m.d);
    mix(m);
    // Word indices: 0 to 7 for the first vector, 8 to 15 for the second.
    const auto first_ab = _mm512_setr_epi64(1, 2, 3, 0, 8, 9, 10, 11);
    const auto second_ab = _mm512_setr_epi64(5, 6, 7, 4, 12, 13, 14, 15);
    const auto first_cd = _mm512_setr_epi64(3, 0, 1, 2, 10, 11, 8, 9);
    const auto second_cd = _mm512_setr_epi64(7, 4, 5, 6, 14, 15, 12, 13);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        v[4 * i] = _mm512_permutex2var_epi64(m.a[i], first_ab, m.b[i]);
        v[4 * i + 1] = _mm512_permutex2var_epi64(m.c[i], first_cd, m.d[i]);
        v[4 * i + 2] = _mm512_permutex2var_epi64(m.a[i], second_ab, m.b[i]);
        v[4 * i + 3] = _mm512_permutex2var_epi64(m.c[i], second_cd, m.d[i]);
    }
}

/// Rotate a row, given as left and right half, by one word.
ALWAYS_INLINE void rotate_left_by_word(vec& left, vec& right)
{
    auto old = left;
    left = _mm512_alignr_epi8(right, old, 8);
    right = _mm512_alignr_epi8(old, right, 8);
}

ALWAYS_INLINE void rotate_right_by_word(vec& left, vec& right)
{
    auto old = left;
    left = _mm512_alignr_epi8(old, right, 8);
    right = _mm512_alignr_epi8(right, old, 8);
}

ALWAYS_INLINE void swap(vec& x, vec& y)
{
    auto old = x;
    x = y;
    y = old;
}

/** Permute four of the block's eight columns of two words: the left four are in the even vectors, the right
    four in the odd ones. In block order, each vector holds half a row of four matrices. */
template <int Side>
ALWAYS_INLINE void permute_columns(const vec (&v)[16], block& out)
{
    matrices<2> m;
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        auto from = 2 * i + Side;
        m.a[i] = v[from];
        m.b[i] = v[from + 4];
        m.c[i] = v[from + 8];
        m.d[i] = v[from + 12];
    }
    mix(m);
    rotate_right_by_word(m.a[0], m.a[1]);
    rotate_left_by_word(m.c[0], m.c[1]);
    swap(m.d[0], m.d[1]);
    mix(m);
    rotate_left_by_word(m.a[0], m.a[1]);
    rotate_right_by_word(m.c[0], m.c[1]);
    swap(m.d[0], m.d[1]);
    auto add_to = [](std::uint64_t* to, vec value) { store(to, _mm512_xor_si512(load(to), value)); };
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        auto* to = out.words + 16 * i + 8 * Side;
        add_to(to, m.a[i]);
        add_to(to + 32, m.b[i]);
        add_to(to + 64, m.c[i]);
        add_to(to + 96, m.d[i]);
    }
}

/// The whole block stays in registers between the row and the column pass.
struct avx512 {
    template <bool Xor, class Early>
    ALWAYS_INLINE static void compress(const block& x, const block& y, block& out, block&, Early early)
    {
        vec v[16];
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
            v[i] = _mm512_xor_si512(load(x.words + 8 * i), load(y.words + 8 * i));
            auto* to = out.words + 8 * i; // the end of G needs it again
            store(to, Xor ? _mm512_xor_si512(v[i], load(to)) : v[i]);
        }
        permute_rows(v);
        permute_columns<0>(v, out);
        early(out.words[0]);
        permute_columns<1>(v, out);
    }
};

} // namespace

void fill_avx512(const instance& hash, const position& at)
{
    segment<avx512>(hash, at).fill();
}

} // namespace crypto::argon2

#else // another architecture: argon2.cpp never calls this

namespace crypto::argon2 {
void fill_avx512(const instance&, const position&) {}
} // namespace crypto::argon2

#endif
