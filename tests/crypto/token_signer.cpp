#include "crypto/token_signer.hpp"

#include "crypto/encoding.hpp"
#include "crypto/keyring.hpp"
#include "tests/support/forge.hpp"

#include <boost/test/unit_test.hpp>

using namespace crypto;

namespace {

struct signed_token {
    token_signer signer{key{9}};
    std::string token = signer.sign("page:42", "team/w1");
};

} // namespace

BOOST_AUTO_TEST_SUITE(token_signer)

BOOST_FIXTURE_TEST_CASE(a_token_yields_its_payload, signed_token)
{
    BOOST_TEST((signer.verify(token, "team/w1") == "page:42"));
    std::string binary("\0\xff.\n", 4);
    BOOST_TEST((signer.verify(signer.sign(binary, ""), "") == binary));
    BOOST_TEST((signer.verify(signer.sign("", "c"), "c") == ""));
}

BOOST_FIXTURE_TEST_CASE(it_is_url_safe, signed_token)
{
    BOOST_TEST(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(every_change_truncation_and_extension_is_detected, signed_token)
{
    for (std::size_t i = 0; i < token.size(); ++i) {
        BOOST_TEST(!signer.verify(support::forge(token, i), "team/w1"), "character " << i);
        BOOST_TEST(!signer.verify(token.substr(0, i), "team/w1"), i << " characters");
    }
    for (auto tail : {"A", "AA", "AAAA", "=", "\n", " "})
        BOOST_TEST(!signer.verify(token + tail, "team/w1"), tail);
}

BOOST_FIXTURE_TEST_CASE(it_does_not_verify_in_another_context_or_with_another_key, signed_token)
{
    for (auto context : {"", "team/w2", "team/w", "team/w11"})
        BOOST_TEST(!signer.verify(token, context), context);
    BOOST_TEST(!crypto::token_signer(key{8}).verify(token, "team/w1"));
}

BOOST_FIXTURE_TEST_CASE(context_and_payload_are_separated, signed_token)
{
    auto mac_of = [&](std::string_view payload, std::string_view context) {
        auto made = from_base64url(signer.sign(payload, context));
        return std::string(text_of(std::span(*made).last(16)));
    };
    BOOST_TEST(mac_of("bc", "a") != mac_of("c", "ab"));
    BOOST_TEST(mac_of("", "abc") != mac_of("abc", ""));
    BOOST_TEST(mac_of("1:ab", "") != mac_of("b", "a"));
}

BOOST_AUTO_TEST_SUITE_END()
