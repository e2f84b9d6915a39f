#include "crypto/token_signer.hpp"

#include "crypto/encoding.hpp"
#include "crypto/keyring.hpp"

#include <boost/test/unit_test.hpp>

using namespace crypto;

namespace {

struct signed_token {
    token_signer signer{key{9}};
    std::string token = signer.sign("page:42", "team/w1");
};

} // namespace

BOOST_AUTO_TEST_SUITE(token_signer)

BOOST_FIXTURE_TEST_CASE(a_token_gives_back_its_payload, signed_token)
{
    BOOST_TEST((signer.open(token, "team/w1") == "page:42"));
    std::string binary("\0\xff.\n", 4);
    BOOST_TEST((signer.open(signer.sign(binary, ""), "") == binary));
    BOOST_TEST((signer.open(signer.sign("", "c"), "c") == ""));
}

BOOST_FIXTURE_TEST_CASE(it_fits_into_a_url, signed_token)
{
    BOOST_TEST(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(no_character_can_be_changed_cut_or_added, signed_token)
{
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(!signer.open(changed, "team/w1"), "character " << i);
        BOOST_TEST(!signer.open(token.substr(0, i), "team/w1"), i << " characters");
    }
    for (auto tail : {"A", "AA", "AAAA", "=", "\n", " "})
        BOOST_TEST(!signer.open(token + tail, "team/w1"), tail);
}

BOOST_FIXTURE_TEST_CASE(neither_another_context_nor_another_key_opens_it, signed_token)
{
    for (auto context : {"", "team/w2", "team/w", "team/w11"})
        BOOST_TEST(!signer.open(token, context), context);
    BOOST_TEST(!token_signer(key{8}).open(token, "team/w1"));
}

BOOST_FIXTURE_TEST_CASE(nothing_moves_between_context_and_payload, signed_token)
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
