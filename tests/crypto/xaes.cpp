// XAES-256-GCM: the test vectors of its specification (C2SP), both branches of the CMAC subkey, tampering.
#include "crypto/xaes.hpp"

#include "crypto/encoding.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string_view>

using namespace crypto;

namespace {

struct vector {
    std::uint8_t key_byte;
    std::string_view associated_data, sealed;
};

constexpr vector vectors[] = {
    {1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
    {3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
};

constexpr std::string_view plain = "XAES-256-GCM", nonce_text = "ABCDEFGHIJKLMNOPQRSTUVWX";

key key_of(const vector& one)
{
    key out;
    out.fill(one.key_byte);
    return out;
}

xaes_nonce nonce()
{
    xaes_nonce out;
    std::ranges::copy(nonce_text, out.begin());
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(xaes)

BOOST_AUTO_TEST_CASE(the_vectors_of_the_specification)
{
    for (auto& one : vectors) {
        auto aad = bytes_of(one.associated_data);
        auto sealed = xaes_256_gcm_seal(key_of(one), nonce(), bytes_of(plain), aad);
        BOOST_TEST(hex(sealed) == one.sealed);
        auto opened = xaes_256_gcm_open(key_of(one), nonce(), sealed, aad);
        BOOST_REQUIRE(opened.has_value());
        BOOST_TEST(text_of(*opened) == plain);
    }
}

BOOST_AUTO_TEST_CASE(every_byte_of_key_nonce_and_input_counts)
{
    auto& one = vectors[0];
    auto sealed = unhex(std::string(one.sealed));
    for (std::size_t i = 0; i < xaes_nonce_size; ++i) {
        auto other = nonce();
        other[i] ^= 1;
        BOOST_TEST(!xaes_256_gcm_open(key_of(one), other, sealed, {}), "nonce " << i);
    }
    for (std::size_t i = 0; i < sizeof(key); ++i) {
        auto other = key_of(one);
        other[i] ^= 1;
        BOOST_TEST(!xaes_256_gcm_open(other, nonce(), sealed, {}), "key " << i);
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        BOOST_TEST(!xaes_256_gcm_open(key_of(one), nonce(), std::span(sealed).first(size), {}), size);
    BOOST_TEST(!xaes_256_gcm_open(key_of(one), nonce(), sealed, bytes_of("x")));
}

BOOST_AUTO_TEST_SUITE_END()
