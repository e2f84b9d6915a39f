// The stricter limits on guessing passwords and on signing up.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace flows;

namespace {

struct limited : signed_up {
    explicit limited(support::environment settings = {}) : signed_up(with_limits(std::move(settings))) {}

    static support::environment with_limits(support::environment settings)
    {
        settings.emplace_back("LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000");
        return settings;
    }

    support::response guess(support::http_client& from, const std::string& email)
    {
        return from.post(base + "/login", credentials(email, "not her own"));
    }

    /// How many guesses at one account are answered before they are refused.
    unsigned guesses_at(const std::string& email, unsigned tries)
    {
        unsigned answered = 0;
        for (unsigned i = 0; i < tries; ++i)
            answered += guess(client, email).status == 401u;
        return answered;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(login_limits)

BOOST_FIXTURE_TEST_CASE(an_account_takes_ten_wrong_passwords_a_minute, limited)
{
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(guess(client, "ada@example.com").status == 401u);
        BOOST_TEST(guess(client, "ADA@example.com").status == 401u);
    }
    auto over = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(members(over) == "detail code error message");
    BOOST_TEST(over.code() == "rate_limited");
    BOOST_TEST(over.text("/error") == "rate_limited");
    BOOST_TEST(over.text("/message") == over.text("/detail"));
    BOOST_TEST(over.header("RateLimit-Policy") == "\"login-account\";q=10;w=60");
    auto wait = over.header("Retry-After");
    BOOST_TEST(over.header("RateLimit") == "\"login-account\";r=0;t=" + wait);
    BOOST_TEST(std::stoi(wait) >= 1);
    BOOST_TEST(std::stoi(wait) <= 60);

    support::http_client elsewhere(server.port(), "127.0.0.7");
    BOOST_TEST(guess(elsewhere, "ada@example.com").status == 429u);
    BOOST_TEST(guess(client, "bob@example.com").status == 401u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_unknown_account_is_limited_as_a_known_one_is, limited)
{
    BOOST_TEST(guesses_at("ada@example.com", 12) == 10u);
    BOOST_TEST(guesses_at("nobody@example.com", 12) == 10u);
    auto known = guess(client, "ada@example.com"), unknown = guess(client, "nobody@example.com");
    BOOST_TEST(known.code() == unknown.code());
    BOOST_TEST(known.header("RateLimit-Policy") == unknown.header("RateLimit-Policy"));
}

BOOST_FIXTURE_TEST_CASE(right_passwords_are_not_counted, limited)
{
    for (int i = 0; i < 25; ++i)
        log_in(client, "ada@example.com");
    BOOST_TEST(guesses_at("ada@example.com", 9) == 9u);
    log_in(client, "ada@example.com");
    BOOST_TEST(guesses_at("ada@example.com", 3) == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_address_has_a_hundred_failures_whatever_the_accounts, limited)
{
    for (int i = 0; i < 100; ++i)
        BOOST_TEST_REQUIRE(guess(client, "p" + std::to_string(i) + "@example.com").status == 401u, i);
    auto over = guess(client, "one-more@example.com");
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(over.header("RateLimit-Policy") == "\"login-ip\";q=100;w=60");
    support::http_client elsewhere(server.port(), "127.0.0.7");
    BOOST_TEST(guess(elsewhere, "one-more@example.com").status == 401u);
}

BOOST_FIXTURE_TEST_CASE(an_address_has_twenty_signups_an_hour, limited)
{
    support::http_client crowd(server.port(), "127.0.0.8");
    auto join = [&, n = 0](support::http_client& from) mutable {
        return from.post(base + "/signup", credentials("p" + std::to_string(++n) + "@example.com"));
    };
    for (int i = 0; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(crowd).status == 201u, i);
    auto over = join(crowd);
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(over.header("RateLimit-Policy") == "\"signup-ip\";q=20;w=3600");
    BOOST_TEST(join(client).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(without_limits_there_are_none_of_any_kind, signed_up)
{
    for (int i = 0; i < 12; ++i)
        BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "not her own")).status ==
                   401u);
    for (int i = 0; i < 21; ++i)
        sign_up(client, "p" + std::to_string(i) + "@example.com");
}

BOOST_AUTO_TEST_CASE(a_limit_is_for_the_client_and_not_for_its_proxy)
{
    limited world({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.9"}});
    support::http_client proxy(world.server.port(), "127.0.0.9");
    auto join = [&, n = 0](support::http_client& from, const std::string& for_whom) mutable {
        from.set("X-Forwarded-For", for_whom);
        return from.post(base + "/signup", credentials("p" + std::to_string(++n) + "@example.com"));
    };
    for (int i = 0; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(proxy, "203.0.113.7").status == 201u, i);
    BOOST_TEST(join(proxy, "203.0.113.7").status == 429u);
    BOOST_TEST(join(proxy, "198.51.100.1, 203.0.113.7").status == 429u); // the left end is anybody's claim
    BOOST_TEST(join(proxy, "203.0.113.8").status == 201u);

    // Who is no proxy of ours may claim what it likes. Ada has signed up from here.
    for (int i = 1; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(world.client, "203.0.113." + std::to_string(i)).status == 201u, i);
    BOOST_TEST(join(world.client, "203.0.113.99").status == 429u);
}

BOOST_AUTO_TEST_SUITE_END()
