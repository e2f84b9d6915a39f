#include "crypto/keyring.hpp"

#include "crypto/encoding.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace crypto;

BOOST_AUTO_TEST_SUITE(keyring)

BOOST_AUTO_TEST_CASE(hkdf_matches_the_rfc_5869_vectors)
{
    struct vector {
        std::string_view secret, salt, info, out;
    };
    const vector vectors[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c"
         "2d2e2f303132"
         "333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c"
         "8d8e8f909192"
         "939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdc"
         "dddedfe0e1e2"
         "e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
         "590e09da3275"
         "600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    for (auto& vector : vectors) {
        std::vector<std::uint8_t> out(vector.out.size() / 2);
        hkdf_sha256(unhex(vector.secret), unhex(vector.salt), unhex(vector.info), out);
        BOOST_TEST(hex(out) == vector.out);
    }
}

BOOST_AUTO_TEST_CASE(every_purpose_has_its_own_key)
{
    key master{};
    master[0] = 1;
    crypto::keyring ring(master);
    std::set<key> keys{master};
    for (auto purpose :
         {purpose::api_key_digest, purpose::refresh_token, purpose::cursor, purpose::unsubscription,
          purpose::seal_signing_key, purpose::seal_outbox_token, purpose::seal_provider_tokens,
          purpose::seal_oauth_state, purpose::seal_oauth_code, purpose::tls_tickets}) {
        BOOST_TEST(keys.insert(ring.derive(purpose)).second);
        BOOST_TEST((ring.derive(purpose) == ring.derive(purpose)));
    }
    master[0] = 2;
    BOOST_TEST((crypto::keyring(master).derive(purpose::cursor) != ring.derive(purpose::cursor)));
}

BOOST_AUTO_TEST_CASE(derived_keys_never_change)
{
    // A change here would make every stored digest and sealed value useless.
    crypto::keyring ring(key{});
    BOOST_TEST(hex(ring.derive(purpose::api_key_digest)) ==
               "e4f7e2c036d729f51488f77489dd7e6e8b5ff8bd907e32426e987adcbd7f64e6");
    BOOST_TEST(hex(ring.derive(purpose::seal_signing_key)) ==
               "bce8cf371030fafbd44cce05ce899fe6eea35cc326aa9c69412e7e1088e180a5");
}

BOOST_AUTO_TEST_CASE(a_master_key_is_32_bytes_in_base64)
{
    auto ring = crypto::keyring::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    BOOST_REQUIRE(ring.has_value());
    BOOST_TEST((ring->derive("x") == crypto::keyring(key{}).derive("x")));
    for (auto bad :
         {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "not base64",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="})
        BOOST_TEST(!crypto::keyring::from_base64(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
