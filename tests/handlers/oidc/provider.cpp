#include "tests/handlers/oidc/issuer_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <vector>

using namespace handlers;
using namespace handlers::test;
using namespace std::chrono_literals;
using support::make_response;

BOOST_FIXTURE_TEST_SUITE(provider, signing_in)

BOOST_AUTO_TEST_CASE(the_authorization_url_has_state_nonce_and_pkce)
{
    auto url = authorization_url();
    BOOST_TEST(url ==
               google.url() +
                   "/authorize?response_type=code&client_id=our%20client&redirect_uri=https%3A%2F%2F"
                   "id.example.com%2Foauth%2Fgoogle%2Fcallback&scope=openid%20email%20profile&state=state&"
                   "nonce=nonce&code_challenge=challenge&code_challenge_method=S256");
    auto document = google.discovery();
    document["authorization_endpoint"] = google.url() + "/authorize?tenant=1";
    google.discover_as(document);
    made.reset();
    BOOST_TEST(authorization_url().starts_with(google.url() + "/authorize?tenant=1&response_type=code&"));
}

BOOST_AUTO_TEST_CASE(only_google_gets_the_offline_access_parameters)
{
    oidc_endpoints places;
    places.authorization = "https://accounts.google.com/o/oauth2/v2/auth";
    auto offline = [&](std::string_view issuer_name) {
        settings.issuer = issuer_name;
        return has(oidc_provider::build_authorization_url(settings, places, "s", "n", "c"),
                   "&access_type=offline");
    };
    BOOST_TEST(offline("https://accounts.google.com"));
    BOOST_TEST(!offline("https://accounts.google.com.example"));
}

BOOST_AUTO_TEST_CASE(a_provider_is_asked_to_authenticate_again)
{
    oidc_endpoints places;
    places.authorization = "https://accounts.example/authorize";
    auto prompt = [&](std::string_view issuer_name, bool asks_again) {
        settings.issuer = issuer_name;
        auto url = oidc_provider::build_authorization_url(settings, places, "s", "n", "c", asks_again);
        auto at = url.find("&prompt=");
        return at == url.npos ? "" : url.substr(at + 8, url.find('&', at + 1) - at - 8);
    };
    BOOST_TEST(prompt("https://accounts.example", false) == "");
    BOOST_TEST(prompt("https://accounts.example", true) == "login");
    BOOST_TEST(prompt("https://accounts.google.com", true) == "select_account"); // it has no `login`
}

BOOST_AUTO_TEST_CASE(a_response_of_another_issuer_is_rejected_before_its_code_is_sent)
{
    auto refusal = [&](std::optional<std::string> iss) { return failure_of([&] { redeem("nonce", iss); }); };
    const std::string rejected = "invalid_response: the callback names another issuer, or none";
    BOOST_TEST(refusal("https://evil.example") == rejected);
    BOOST_TEST(refusal(google.url() + "/") == rejected);
    BOOST_TEST(refusal("") == rejected);
    BOOST_TEST(google.count("/token") == 0);
    BOOST_TEST(refusal(google.url()) == "none");
    BOOST_TEST(refusal(std::nullopt) == "none");

    auto document = google.discovery();
    document["authorization_response_iss_parameter_supported"] = true;
    google.discover_as(document);
    made.reset();
    BOOST_TEST(refusal(std::nullopt) == rejected); // the provider has announced it
    BOOST_TEST(refusal(google.url()) == "none");
}

BOOST_AUTO_TEST_CASE(a_code_is_redeemed_for_an_identity)
{
    auto got = redeem();
    BOOST_TEST(got.claims.subject == "1234");
    BOOST_TEST(got.claims.email == "ada@example.org");
    BOOST_TEST(got.claims.email_verified);
    BOOST_TEST(got.access_token == "ya29.access");
    BOOST_TEST(got.refresh_token.value_or("") == "1//refresh");
    BOOST_TEST((got.expires_in == 3599s));
    BOOST_TEST(got.scope == "openid email");
    auto asked = google.last("/token");
    BOOST_TEST(asked.count("Authorization") == 0u);
    BOOST_TEST(asked.body() == "grant_type=authorization_code&code=co%2Fde&redirect_uri=https%3A%2F%2F"
                               "id.example.com%2Foauth%2Fgoogle%2Fcallback&code_verifier=verifier&"
                               "client_id=our%20client&client_secret=s3cr%26t%2F");
}

BOOST_AUTO_TEST_CASE(optional_claims_may_be_missing)
{
    auto spare = tokens(id_token(0, "zero"));
    spare.erase("refresh_token");
    spare.erase("scope");
    spare["expires_in"] = "3600";
    spare["token_type"] = "bearer";
    google.say("/token", spare);
    auto got = redeem();
    BOOST_TEST(!got.refresh_token.has_value());
    BOOST_TEST(got.scope == "");
    BOOST_TEST((got.expires_in == 3600s));
    spare.erase("expires_in");
    google.say("/token", spare);
    BOOST_TEST((redeem().expires_in == 0s));
}

BOOST_AUTO_TEST_CASE(the_client_secret_is_sent_by_the_supported_method)
{
    auto authorization = [this](json::value methods) {
        auto document = google.discovery();
        document["token_endpoint_auth_methods_supported"] = std::move(methods);
        google.discover_as(document);
        made.reset();
        redeem();
        return std::string(google.last("/token")["Authorization"]);
    };
    auto basic = "Basic b3VyJTIwY2xpZW50OnMzY3IlMjZ0JTJG"; // our%20client:s3cr%26t%2F
    BOOST_TEST(authorization(json::array{"client_secret_basic"}) == basic);
    BOOST_TEST(!has(google.last("/token").body(), "client_"));
    BOOST_TEST(authorization(json::array{"private_key_jwt", "client_secret_basic"}) == basic);
    BOOST_TEST(authorization(json::array{"client_secret_basic", "client_secret_post"}) == "");
    for (json::value odd :
         {json::value(json::array{"none"}), json::value(json::array{}), json::value(nullptr)})
        BOOST_TEST(authorization(odd) == "");
    settings.client_secret.clear();
    BOOST_TEST(authorization(json::array{"client_secret_basic"}) == "");
    BOOST_TEST(google.last("/token").body().ends_with("&client_id=our%20client"));
}

BOOST_AUTO_TEST_CASE(discovery_and_keys_are_fetched_once)
{
    for (int i = 0; i < 3; ++i) {
        authorization_url();
        redeem();
    }
    BOOST_TEST(google.count(discovery_path) == 1);
    BOOST_TEST(google.count("/keys") == 1);
    BOOST_TEST(google.count("/token") == 3);
}

BOOST_AUTO_TEST_CASE(discovery_is_cached_for_its_ttl)
{
    settings.discovery_ttl = 50ms;
    authorization_url();
    std::this_thread::sleep_for(60ms);
    authorization_url();
    BOOST_TEST(google.count(discovery_path) == 2);
}

BOOST_AUTO_TEST_CASE(key_ttl_follows_cache_control_within_bounds)
{
    settings.min_key_ttl = 0s;
    settings.max_key_ttl = 3s;
    google.publish({key_of(0).jwk("zero")}, "Cache-Control: no-store\r\n");
    redeem(); // once before the code is redeemed, and once for the token
    BOOST_TEST(google.count("/keys") == 2);
    google.publish({key_of(0).jwk("zero")}, "Cache-Control: max-age=999999\r\n");
    redeem();
    redeem();
    BOOST_TEST(google.count("/keys") == 3);
    std::this_thread::sleep_for(3010ms);
    redeem();
    BOOST_TEST(google.count("/keys") == 4);
}

BOOST_AUTO_TEST_CASE(concurrent_calls_share_a_fetch)
{
    google.say(discovery_path, make_response("200 OK", json::serialize(google.discovery())), 100ms);
    std::vector<std::future<std::string>> urls;
    for (int i = 0; i < 50; ++i)
        urls.push_back(asio::co_spawn(io, provider().authorization_url("s", "n", "c"), asio::use_future));
    io.run();
    for (auto& each : urls)
        BOOST_TEST(has(each.get(), "/authorize?"));
    BOOST_TEST(google.count(discovery_path) == 1);
}

BOOST_AUTO_TEST_CASE(concurrent_calls_share_a_failure_which_is_cached)
{
    settings.negative_ttl = 3s;
    google.say(discovery_path, make_response("503 Service Unavailable", ""), 50ms);
    std::vector<std::future<std::string>> urls;
    for (int i = 0; i < 50; ++i)
        urls.push_back(asio::co_spawn(io, provider().authorization_url("s", "n", "c"), asio::use_future));
    io.run();
    for (auto& each : urls)
        BOOST_CHECK_THROW(each.get(), oidc_failure);
    BOOST_TEST(has(redeem_failure(), "unavailable: discovery answered 503"));
    BOOST_TEST(google.count(discovery_path) == 1);
    google.discover_as(google.discovery());
    std::this_thread::sleep_for(3010ms);
    BOOST_TEST(redeem_failure() == "none");
    BOOST_TEST(google.count(discovery_path) == 2);
}

BOOST_AUTO_TEST_CASE(issuer_mismatch_is_rejected)
{
    auto failure_with = [this](std::string_view name, json::value value) {
        auto document = google.discovery();
        document[name] = std::move(value);
        google.discover_as(document);
        made.reset();
        return failure_of([this] { authorization_url(); });
    };
    for (auto& other : {google.url() + "/", std::string("https://accounts.google.com"), std::string()})
        BOOST_TEST(has(failure_with("issuer", json::string(other)), "invalid_response: "), other);
    BOOST_TEST(has(failure_with("issuer", nullptr), "invalid_response: "));
    for (auto name : {"authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"}) {
        for (auto url : {"http://issuer.example/", "/token", "", "ftp://localhost/", "javascript:alert(1)",
                         "https://user@issuer.example/", "https://issuer.example/#x"})
            BOOST_TEST(has(failure_with(name, url), "invalid_response: "), name << " " << url);
        BOOST_TEST(has(failure_with(name, nullptr), "unavailable: "), name);
        BOOST_TEST(failure_with(name, "https://issuer.example/x") == "none", name);
    }
}

BOOST_AUTO_TEST_CASE(an_https_issuer_has_https_endpoints)
{
    json::object document = google.discovery();
    document["issuer"] = "https://issuer.example";
    for (auto name : {"authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"})
        document[name] = "https://issuer.example/x";
    auto read = [&] {
        http_response heard;
        heard.status = 200;
        heard.body = json::serialize(document);
        return read_discovery(heard, "https://issuer.example");
    };
    BOOST_TEST(failure_of(read) == "none");
    document["token_endpoint"] = "http://127.0.0.1/token"; // it must not reach into this machine
    BOOST_TEST(has(failure_of(read), "invalid_response: "));
}

BOOST_AUTO_TEST_CASE(invalid_discovery_documents_are_rejected)
{
    for (auto& reply :
         {make_response("404 Not Found", "{}"),
          make_response("302 Found", "", "Location: https://evil.example/\r\n"),
          make_response("200 OK", "<html>"), make_response("200 OK", "[]"), make_response("200 OK", ""),
          make_response("200 OK", std::string(300'000, ' ')), std::string("nonsense")}) {
        google.say(discovery_path, reply);
        made.reset();
        BOOST_TEST(has(failure_of([this] { authorization_url(); }), "unavailable: "));
    }
    json::object bare;
    bare["issuer"] = google.url();
    google.discover_as(bare);
    made.reset();
    BOOST_TEST(
        has(failure_of([this] { authorization_url(); }), "unavailable: the discovery document has no"));
    settings.issuer = "http://issuer.example";
    made.reset();
    BOOST_TEST(has(failure_of([this] { authorization_url(); }), "unavailable: "));
}

BOOST_AUTO_TEST_CASE(calls_survive_the_destruction_of_the_provider)
{
    google.say("/token", make_response("200 OK", "{}"), 200ms);
    auto left = asio::co_spawn(io, provider().redeem("c", "v", "n"), asio::use_future);
    io.run_for(100ms);
    made.reset();
    io.run();
    BOOST_CHECK_THROW(left.get(), oidc_failure);
    // Others are destroyed with their io_context while they wait for one fetch.
    google.say(discovery_path, make_response("200 OK", "{}"), 200ms);
    asio::io_context short_lived(1);
    {
        handlers::https_client asking(short_lived.get_executor(), calls);
        oidc_provider other(short_lived.get_executor(), asking, settings);
        asio::co_spawn(short_lived, other.redeem("c", "v", "n"), asio::detached);
        asio::co_spawn(short_lived, other.revoke("t"), asio::detached);
        short_lived.run_for(50ms);
    }
}

BOOST_AUTO_TEST_SUITE_END()
