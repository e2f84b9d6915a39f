#include "tests/handlers/oidc/issuer_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <vector>

using namespace handlers;
using namespace handlers::test;
using namespace std::chrono_literals;
using support::answer;

BOOST_FIXTURE_TEST_SUITE(oidc_tokens, signing_in)

BOOST_AUTO_TEST_CASE(a_new_key_is_fetched_once)
{
    redeem();
    google.publish({key_of(0).jwk("zero"), key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    BOOST_TEST(redeem().who.subject == "1234");
    BOOST_TEST(google.count("/keys") == 2);
    redeem();
    BOOST_TEST(google.count("/keys") == 2);
}

BOOST_AUTO_TEST_CASE(made_up_keys_do_not_cause_a_storm)
{
    settings.refetch_pause = 200ms;
    google.say("/token", tokens(id_token(1, "made up")));
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(redeem_failure() == "untrustworthy: the ID token is signed with an unknown key");
    BOOST_TEST(google.count("/keys") == 2);
    std::this_thread::sleep_for(210ms);
    redeem_failure();
    redeem_failure();
    BOOST_TEST(google.count("/keys") == 3);
    google.say("/token", tokens(id_token(0, "zero"))); // the others are not troubled
    BOOST_TEST(redeem_failure() == "none");
}

BOOST_AUTO_TEST_CASE(many_at_once_wait_for_the_same_new_key)
{
    redeem();
    google.publish({key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    std::vector<std::future<signed_in>> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(asio::co_spawn(io, provider().redeem("c", "v", "nonce"), asio::use_future));
    io.restart();
    io.run();
    for (auto& each : all)
        BOOST_TEST(each.get().who.subject == "1234");
    BOOST_TEST(google.count("/keys") == 2);
}

BOOST_AUTO_TEST_CASE(keys_that_cannot_be_renewed_stay)
{
    redeem();
    google.say("/keys", answer("500 Internal Server Error", ""));
    google.say("/token", tokens(id_token(1, "one")));
    BOOST_TEST(has(redeem_failure(), "unavailable: jwks_uri answered 500"));
    google.say("/token", tokens(id_token(0, "zero")));
    BOOST_TEST(redeem_failure() == "none");
    // The provider is back: a fetch that failed does not hold up the next.
    google.publish({key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    std::this_thread::sleep_for(110ms);
    BOOST_TEST(redeem_failure() == "none");
}

BOOST_AUTO_TEST_CASE(without_keys_no_code_is_spent)
{
    for (auto& reply : {answer("500 Internal Server Error", ""), answer("200 OK", "{\"keys\":[]}"),
                        answer("200 OK", "<html>"), answer("404 Not Found", R"({"keys":[]})")}) {
        google.say("/keys", reply);
        made.reset();
        BOOST_TEST(has(redeem_failure(), "unavailable: "));
    }
    BOOST_TEST(google.count("/token") == 0);
}

BOOST_AUTO_TEST_CASE(a_token_for_something_else_is_not_trusted)
{
    BOOST_TEST(
        has(failure_of([this] { redeem("another"); }), "untrustworthy: the ID token is for another sign-in"));
    BOOST_TEST(has(failure_of([this] { redeem(""); }), "untrustworthy: "));
    auto failure_with = [this](std::string_view name, json::value value) {
        auto told = payload();
        told[name] = std::move(value);
        auto token = key_of(0).token(R"({"alg":"RS256","kid":"zero"})", json::serialize(told));
        google.say("/token", tokens(token));
        return redeem_failure();
    };
    BOOST_TEST(
        has(failure_with("iss", "https://accounts.google.com"), "untrustworthy: the ID token is of another"));
    BOOST_TEST(has(failure_with("iss", "accounts.google.com"), "untrustworthy: "));
    BOOST_TEST(has(failure_with("aud", "another"), "untrustworthy: the ID token is for another client"));
    BOOST_TEST(has(failure_with("exp", now() - 61), "untrustworthy: the ID token is expired"));
    google.say("/token", tokens(id_token(1, "zero")));
    BOOST_TEST(has(redeem_failure(), "untrustworthy: the ID token is"));
    google.say("/token", tokens("nonsense"));
    BOOST_TEST(has(redeem_failure(), "untrustworthy: the ID token is malformed"));
    auto none = tokens("");
    none.erase("id_token");
    google.say("/token", none);
    BOOST_TEST(has(redeem_failure(), "untrustworthy: the token endpoint gave no ID token"));
    BOOST_TEST(google.count("/keys") == 1);
}

BOOST_AUTO_TEST_CASE(a_no_is_a_no)
{
    google.say("/token",
               answer("400 Bad Request", R"({"error":"invalid_grant","error_description":"co/de"})"));
    BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 400 invalid_grant");
    google.say("/token", answer("401 Unauthorized", R"({"error":"invalid_client"})"));
    BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 401 invalid_client");
    for (auto odd : {"", "<html>", "[]", R"({"error":"a b\n"})", R"({"error":5})", R"({"error":""})"}) {
        google.say("/token", answer("403 Forbidden", odd));
        BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 403", odd);
    }
}

BOOST_AUTO_TEST_CASE(an_issuer_in_trouble_is_unavailable)
{
    calls.deadline = 300ms;
    redeem();
    for (auto status : {"500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests",
                        "408 Request Timeout", "302 Found", "204 No Content"}) {
        google.say("/token", answer(status, R"({"error":"slow_down"})"));
        BOOST_TEST(has(redeem_failure(), "unavailable: "), status);
    }
    for (auto& reply :
         {answer("200 OK", ""), answer("200 OK", "<html>"), answer("200 OK", "[]"),
          answer("200 OK", std::string(300'000, ' ')), std::string("garbage\r\n\r\n"), std::string()}) {
        google.say("/token", reply);
        BOOST_TEST(has(redeem_failure(), "unavailable: "), reply.substr(0, 60));
    }
    google.say("/token", answer("200 OK", "{}"), 1000ms);
    BOOST_TEST(has(redeem_failure(), "no whole answer in time"));
}

BOOST_AUTO_TEST_CASE(tokens_that_make_no_sense_are_not_kept)
{
    auto failure_with = [this](std::string_view name, json::value value) {
        auto told = tokens(id_token(0, "zero"));
        told[name] = std::move(value);
        google.say("/token", told);
        return redeem_failure();
    };
    BOOST_TEST(has(failure_with("access_token", ""), "unavailable: "));
    BOOST_TEST(has(failure_with("access_token", nullptr), "unavailable: "));
    BOOST_TEST(has(failure_with("access_token", json::string("a\nb")), "unavailable: "));
    BOOST_TEST(has(failure_with("refresh_token", json::string(std::string(20'000, 'a'))), "unavailable: "));
    BOOST_TEST(has(failure_with("token_type", "mac"), "unavailable: "));
    BOOST_TEST(has(failure_with("token_type", nullptr), "unavailable: "));
    BOOST_TEST(failure_with("refresh_token", nullptr) == "none");
    for (json::value odd : {json::value(-5), json::value("x"), json::value(1e300), json::value(nullptr),
                            json::value(std::uint64_t{1} << 63), json::value(INT64_MAX)})
        BOOST_TEST(failure_with("expires_in", odd) == "none");
}

BOOST_AUTO_TEST_CASE(tokens_are_taken_back)
{
    google.say("/revoke", answer("200 OK", ""));
    BOOST_TEST(revoke());
    BOOST_TEST(google.last("/revoke").body() ==
               "token=to%26ken&client_id=our%20client&client_secret=s3cr%26t%2F");
    google.say("/revoke", answer("400 Bad Request", R"({"error":"invalid_token"})")); // already
    BOOST_TEST(revoke());
    google.say("/revoke", answer("400 Bad Request", R"({"error":"unsupported_token_type"})"));
    BOOST_TEST(!revoke());
    google.say("/revoke", answer("401 Unauthorized", R"({"error":"invalid_client"})"));
    BOOST_TEST(!revoke());
    google.say("/revoke", answer("503 Service Unavailable", ""));
    BOOST_TEST(failure_of([this] { revoke(); }) == "unavailable: the revocation endpoint answered 503");
    auto document = google.discovery();
    document.erase("revocation_endpoint");
    google.discover_as(document);
    made.reset();
    BOOST_TEST(revoke());
    BOOST_TEST(google.count("/revoke") == 5);
}

BOOST_AUTO_TEST_SUITE_END()
