// Strings of any length and alphabet in place of tokens: each is answered as a wrong token.
#include "crypto/api_key.hpp"
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace e2e;

namespace {

/// Empty, short, long, outside of ASCII, with control characters; some have the form of a token.
const std::vector<std::string> any_strings{"",
                                           " ",
                                           "x",
                                           "null",
                                           std::string("a\0b", 3),
                                           std::string(1, '\0'),
                                           "\x7F\n\r\t",
                                           "\u00E9\u0301\U0001F511",
                                           "\u202Etoken",
                                           "' OR 1=1 --",
                                           "../../etc",
                                           "%00",
                                           std::string(42, 'A'),
                                           std::string(43, 'A'),
                                           std::string(43, 'A') + "=",
                                           std::string(44, 'A'),
                                           std::string(76, 'A'),
                                           std::string(257, 'A'),
                                           std::string(513, 'A'),
                                           std::string(60000, 'A'),
                                           "tnx_example0_000000000000000000000000000000000xPPqm",
                                           "a.b.c"};

std::string body_with(const std::string& name, const std::string& token, boost::json::object rest = {})
{
    rest[name] = token;
    return boost::json::serialize(rest);
}

std::string percent_encoded(const std::string& text)
{
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(wrong_tokens)

BOOST_FIXTURE_TEST_CASE(mailed_tokens_and_codes, account_fixture)
{
    for (auto& wrong : any_strings) {
        const std::pair<const char*, std::string> all[] = {
            {"/email/verify", body_with("token", wrong)},
            {"/email/change/confirm", body_with("token", wrong)},
            {"/password/reset", body_with("token", wrong, {{"password", "twelve slow lanterns"}})},
            {"/invites/preview", body_with("token", wrong)},
            {"/invites/accept", body_with("token", wrong, {{"password", "twelve slow lanterns"}})},
            {"/api-keys/claim", body_with("token", wrong)}};
        for (auto& [path, body] : all)
            BOOST_TEST(summary(client.post(base + path, body)) == "400 invalid_token", path << " " << wrong);
    }
}

BOOST_FIXTURE_TEST_CASE(refresh_tokens, account_fixture)
{
    for (auto& wrong : any_strings)
        BOOST_TEST(summary(client.post(base + "/token/refresh", body_with("refresh_token", wrong))) ==
                       "401 unauthorized",
                   wrong);
}

BOOST_FIXTURE_TEST_CASE(reported_keys, account_fixture)
{
    for (auto& wrong : any_strings)
        BOOST_TEST(summary(client.post(base + "/api-keys/report", body_with("key", wrong))) == "202", wrong);
}

BOOST_FIXTURE_TEST_CASE(links_to_unsubscribe, account_fixture)
{
    for (auto& wrong : any_strings)
        if (wrong.size() < 2000) // a request line has a limit of its own
            BOOST_TEST(summary(client.post("/unsubscribe?token=" + percent_encoded(wrong), "")) ==
                           "400 invalid_token",
                       wrong);
    BOOST_TEST(summary(client.post("/unsubscribe?token=%FF", "")) == "400 invalid_token");
}

BOOST_FIXTURE_TEST_CASE(other_json_types_and_missing_members_are_validation_errors, account_fixture)
{
    for (auto path : {"/email/verify", "/invites/preview", "/api-keys/claim"}) {
        BOOST_TEST(validation_errors(client.post(base + path, "{}")) == "body.token missing");
        for (auto body : {R"({"token":7})", R"({"token":null})", R"({"token":["x"]})"})
            BOOST_TEST(validation_errors(client.post(base + path, body)) == "body.token string_type");
    }
}

/// A client that makes up well-formed keys does not shut out the valid ones behind its address.
BOOST_AUTO_TEST_CASE(made_up_keys_shut_out_no_valid_one)
{
    account_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}, {"LATCHKEY_THREADS", "1"}});
    auto remembered = fixture.mint(R"({"name":"remembered"})"), other = fixture.mint(R"({"name":"other"})");
    BOOST_TEST(fixture.client.get(base + "/me", remembered).status == 200u);
    unsigned unknown = 0, over = 0;
    for (int i = 0; i < 60; ++i) {
        auto status = fixture.client.get(base + "/me", crypto::make_api_key().text).status;
        unknown += status == 401u;
        over += status == 429u;
    }
    BOOST_TEST(unknown <= 20u); // other requests of the address count too
    BOOST_TEST(over == 60u - unknown);
    BOOST_TEST(fixture.client.get(base + "/me", remembered).status == 200u);
    BOOST_TEST(fixture.client.get(base + "/me", other).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
