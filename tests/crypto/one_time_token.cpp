// One-time tokens: format and stored digest.
#include "crypto/one_time_token.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

BOOST_AUTO_TEST_SUITE(one_time_token)

BOOST_AUTO_TEST_CASE(a_token_is_43_url_safe_characters)
{
    auto made = crypto::make_one_time_token();
    BOOST_TEST(made.text.size() == 43u);
    BOOST_TEST(made.text.find_first_not_of(
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(tokens_are_unique)
{
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i)
        seen.insert(crypto::make_one_time_token().text);
    BOOST_TEST(seen.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(the_digest_is_computed_from_the_text)
{
    auto made = crypto::make_one_time_token();
    BOOST_TEST((crypto::one_time_token_digest(made.text) == made.digest));
    BOOST_TEST((made.digest == crypto::sha256(made.text)));
}

BOOST_AUTO_TEST_CASE(malformed_tokens_have_no_digest)
{
    auto text = crypto::make_one_time_token().text;
    for (auto& wrong : {std::string(), std::string("nonsense"), text.substr(1), text + "A", text + "=",
                        " " + text, std::string(43, '+'), std::string(100'000, 'A')})
        BOOST_TEST(!crypto::one_time_token_digest(wrong).has_value(), wrong.substr(0, 50));
}

BOOST_AUTO_TEST_SUITE_END()
