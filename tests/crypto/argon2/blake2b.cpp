#include "crypto/argon2/blake2b.hpp"

#include "crypto/encoding.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

using namespace crypto;

namespace {

std::vector<std::uint8_t> digest_of(std::span<const std::uint8_t> text, std::size_t size)
{
    std::vector<std::uint8_t> out(size);
    blake2b(size).update(text).finish(out);
    return out;
}

std::vector<std::uint8_t> counting(std::size_t size)
{
    std::vector<std::uint8_t> out(size);
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<std::uint8_t>(i % 251);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(blake2b)

BOOST_AUTO_TEST_CASE(the_rfc_7693_example_matches)
{
    BOOST_TEST(hex(digest_of(bytes_of("abc"), 64)) ==
               "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

BOOST_AUTO_TEST_CASE(the_64_byte_digest_matches_openssl)
{
    auto text = counting(1100);
    for (std::size_t n = 0; n <= text.size(); ++n) {
        std::vector<std::uint8_t> expected(64);
        BOOST_REQUIRE(EVP_Digest(text.data(), n, expected.data(), nullptr, EVP_blake2b512(), nullptr) == 1);
        BOOST_REQUIRE_MESSAGE(digest_of(std::span(text).first(n), 64) == expected, n << " bytes");
    }
}

// The digest over all digests was computed with Python's hashlib.
BOOST_AUTO_TEST_CASE(digests_of_every_length)
{
    auto text = counting(1024);
    crypto::blake2b all(32);
    for (std::size_t size = 1; size <= 64; ++size)
        for (auto n : std::initializer_list<std::size_t>{0, 1, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257,
                                                         1023, 1024})
            all.update(digest_of(std::span(text).first(n), size));
    std::vector<std::uint8_t> out(32);
    all.finish(out);
    BOOST_TEST(hex(out) == "17255a8144eb5c8e8e5900205d0cf17b37570574fa7a79263b45731002465e2c");
}

BOOST_AUTO_TEST_CASE(the_digest_does_not_depend_on_the_pieces)
{
    auto text = counting(700);
    auto expected = digest_of(text, 48);
    for (auto piece : std::initializer_list<std::size_t>{1, 2, 63, 64, 65, 127, 128, 129, 256, 300}) {
        crypto::blake2b hash(48);
        for (std::span<const std::uint8_t> rest(text); !rest.empty();) {
            auto n = std::min(piece, rest.size());
            hash.update(rest.first(n)).update({});
            rest = rest.subspan(n);
        }
        std::vector<std::uint8_t> out(48);
        hash.finish(out);
        BOOST_TEST(hex(out) == hex(expected), piece);
    }
}

BOOST_AUTO_TEST_SUITE_END()
