#include "tests/handlers/oidc/issuer_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <vector>

using namespace handlers;
using namespace handlers::test;
using namespace std::chrono_literals;
using support::make_response;

BOOST_FIXTURE_TEST_SUITE(provider_tokens, signing_in)

BOOST_AUTO_TEST_CASE(a_new_key_is_fetched_once)
{
    redeem();
    google.publish({key_of(0).jwk("zero"), key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    BOOST_TEST(redeem().claims.subject == "1234");
    BOOST_TEST(google.count("/keys") == 2);
    redeem();
    BOOST_TEST(google.count("/keys") == 2);
}

BOOST_AUTO_TEST_CASE(unknown_key_ids_do_not_cause_repeated_fetches)
{
    settings.refetch_interval = 3s;
    google.say("/token", tokens(id_token(1, "made up")));
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(redeem_failure() == "invalid_response: the ID token is signed with an unknown key");
    BOOST_TEST(google.count("/keys") == 2);
    std::this_thread::sleep_for(3010ms);
    redeem_failure();
    redeem_failure();
    BOOST_TEST(google.count("/keys") == 3);
    google.say("/token", tokens(id_token(0, "zero"))); // the others are not affected
    BOOST_TEST(redeem_failure() == "none");
}

BOOST_AUTO_TEST_CASE(concurrent_calls_wait_for_the_same_new_key)
{
    redeem();
    google.publish({key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    std::vector<std::future<oidc_login>> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(asio::co_spawn(io, provider().redeem("c", "v", "nonce"), asio::use_future));
    io.restart();
    io.run();
    for (auto& each : all)
        BOOST_TEST(each.get().claims.subject == "1234");
    BOOST_TEST(google.count("/keys") == 2);
}

BOOST_AUTO_TEST_CASE(keys_stay_valid_when_a_refetch_fails)
{
    redeem();
    google.say("/keys", make_response("500 Internal Server Error", ""));
    google.say("/token", tokens(id_token(1, "one")));
    BOOST_TEST(has(redeem_failure(), "unavailable: jwks_uri answered 500"));
    google.say("/token", tokens(id_token(0, "zero")));
    BOOST_TEST(redeem_failure() == "none");
    // The provider recovers: a failed fetch does not block the next.
    google.publish({key_of(1).jwk("one")});
    google.say("/token", tokens(id_token(1, "one")));
    std::this_thread::sleep_for(110ms);
    BOOST_TEST(redeem_failure() == "none");
}

BOOST_AUTO_TEST_CASE(codes_are_not_redeemed_without_keys)
{
    for (auto& reply :
         {make_response("500 Internal Server Error", ""), make_response("200 OK", "{\"keys\":[]}"),
          make_response("200 OK", "<html>"), make_response("404 Not Found", R"({"keys":[]})")}) {
        google.say("/keys", reply);
        made.reset();
        BOOST_TEST(has(redeem_failure(), "unavailable: "));
    }
    BOOST_TEST(google.count("/token") == 0);
}

BOOST_AUTO_TEST_CASE(tokens_for_another_audience_or_nonce_are_rejected)
{
    BOOST_TEST(has(failure_of([this] { redeem("another"); }),
                   "invalid_response: the ID token is bound to another nonce"));
    BOOST_TEST(has(failure_of([this] { redeem(""); }), "invalid_response: "));
    auto failure_with = [this](std::string_view name, json::value value) {
        auto response = payload();
        response[name] = std::move(value);
        auto token = key_of(0).token(R"({"alg":"RS256","kid":"zero"})", json::serialize(response));
        google.say("/token", tokens(token));
        return redeem_failure();
    };
    BOOST_TEST(has(failure_with("iss", "https://accounts.google.com"),
                   "invalid_response: the ID token is issued by another issuer"));
    BOOST_TEST(has(failure_with("iss", "accounts.google.com"), "invalid_response: "));
    BOOST_TEST(
        has(failure_with("aud", "another"), "invalid_response: the ID token is issued to another client"));
    BOOST_TEST(has(failure_with("exp", now() - 61), "invalid_response: the ID token is expired"));
    google.say("/token", tokens(id_token(1, "zero")));
    BOOST_TEST(has(redeem_failure(), "invalid_response: the ID token is"));
    google.say("/token", tokens("nonsense"));
    BOOST_TEST(has(redeem_failure(), "invalid_response: the ID token is malformed"));
    auto none = tokens("");
    none.erase("id_token");
    google.say("/token", none);
    BOOST_TEST(has(redeem_failure(), "invalid_response: the token endpoint gave no ID token"));
    BOOST_TEST(google.count("/keys") == 1);
}

BOOST_AUTO_TEST_CASE(rejected_codes_are_final)
{
    google.say("/token",
               make_response("400 Bad Request", R"({"error":"invalid_grant","error_description":"co/de"})"));
    BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 400 invalid_grant");
    google.say("/token", make_response("401 Unauthorized", R"({"error":"invalid_client"})"));
    BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 401 invalid_client");
    for (auto odd : {"", "<html>", "[]", R"({"error":"a b\n"})", R"({"error":5})", R"({"error":""})"}) {
        google.say("/token", make_response("403 Forbidden", odd));
        BOOST_TEST(redeem_failure() == "refused: the token endpoint answered 403", odd);
    }
}

BOOST_AUTO_TEST_CASE(provider_errors_are_reported_as_unavailable)
{
    calls.deadline = 1s;
    redeem();
    for (auto status : {"500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests",
                        "408 Request Timeout", "302 Found", "204 No Content"}) {
        google.say("/token", make_response(status, R"({"error":"slow_down"})"));
        BOOST_TEST(has(redeem_failure(), "unavailable: "), status);
    }
    for (auto& reply : {make_response("200 OK", ""), make_response("200 OK", "<html>"),
                        make_response("200 OK", "[]"), make_response("200 OK", std::string(300'000, ' ')),
                        std::string("garbage\r\n\r\n"), std::string()}) {
        google.say("/token", reply);
        BOOST_TEST(has(redeem_failure(), "unavailable: "), reply.substr(0, 60));
    }
    google.say("/token", make_response("200 OK", "{}"), 2500ms);
    BOOST_TEST(has(redeem_failure(), "timed out"));
}

BOOST_AUTO_TEST_CASE(malformed_tokens_are_not_stored)
{
    auto failure_with = [this](std::string_view name, json::value value) {
        auto response = tokens(id_token(0, "zero"));
        response[name] = std::move(value);
        google.say("/token", response);
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

BOOST_AUTO_TEST_CASE(tokens_are_revoked)
{
    google.say("/revoke", make_response("200 OK", ""));
    BOOST_TEST(revoke());
    BOOST_TEST(google.last("/revoke").body() ==
               "token=to%26ken&client_id=our%20client&client_secret=s3cr%26t%2F");
    google.say("/revoke", make_response("400 Bad Request", R"({"error":"invalid_token"})")); // revoked before
    BOOST_TEST(revoke());
    google.say("/revoke", make_response("400 Bad Request", R"({"error":"unsupported_token_type"})"));
    BOOST_TEST(!revoke());
    google.say("/revoke", make_response("401 Unauthorized", R"({"error":"invalid_client"})"));
    BOOST_TEST(!revoke());
    google.say("/revoke", make_response("503 Service Unavailable", ""));
    BOOST_TEST(failure_of([this] { revoke(); }) == "unavailable: the revocation endpoint answered 503");
    auto document = google.discovery();
    document.erase("revocation_endpoint");
    google.discover_as(document);
    made.reset();
    BOOST_TEST(revoke());
    BOOST_TEST(google.count("/revoke") == 5);
}

BOOST_AUTO_TEST_SUITE_END()
