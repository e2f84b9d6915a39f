// Rate limits of logins and signups.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace e2e;

namespace {

struct limits_fixture : account_fixture {
    explicit limits_fixture(support::environment settings = {})
        : account_fixture(with_limits(std::move(settings)))
    {}

    static support::environment with_limits(support::environment settings)
    {
        settings.emplace_back("LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000");
        return settings;
    }

    support::response wrong_login(support::http_client& from, const std::string& email)
    {
        return from.post(base + "/login", credentials(email, "not her own"));
    }

    /// The number of wrong logins answered with 401, out of `tries`.
    unsigned wrong_logins(const std::string& email, unsigned tries)
    {
        unsigned answered = 0;
        for (unsigned i = 0; i < tries; ++i)
            answered += wrong_login(client, email).status == 401u;
        return answered;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(login_limits)

BOOST_FIXTURE_TEST_CASE(an_account_allows_ten_wrong_passwords_a_minute, limits_fixture)
{
    client.set("User-Agent", "not a device of hers");
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(wrong_login(client, "ada@example.com").status == 401u);
        BOOST_TEST(wrong_login(client, "ADA@example.com").status == 401u);
    }
    auto over = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(member_names(over) == "detail code error message");
    BOOST_TEST(over.code() == "rate_limited");
    BOOST_TEST(over.text("/error") == "rate_limited");
    BOOST_TEST(over.text("/message") == over.text("/detail"));
    BOOST_TEST(over.header("RateLimit-Policy") == "\"login-account\";q=10;w=60");
    auto wait = over.header("Retry-After");
    BOOST_TEST(over.header("RateLimit") == "\"login-account\";r=0;t=" + wait);
    BOOST_TEST(std::stoi(wait) >= 1);
    BOOST_TEST(std::stoi(wait) <= 60);

    support::http_client elsewhere(server.port(), "127.0.0.7");
    BOOST_TEST(wrong_login(elsewhere, "ada@example.com").status == 429u);
    BOOST_TEST(wrong_login(client, "bob@example.com").status == 401u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(unknown_accounts_are_limited_alike, limits_fixture)
{
    BOOST_TEST(wrong_logins("ada@example.com", 12) == 10u);
    BOOST_TEST(wrong_logins("unknown@example.com", 12) == 10u);
    auto known = wrong_login(client, "ada@example.com"), unknown = wrong_login(client, "unknown@example.com");
    BOOST_TEST(known.code() == unknown.code());
    BOOST_TEST(known.header("RateLimit-Policy") == unknown.header("RateLimit-Policy"));
}

BOOST_FIXTURE_TEST_CASE(correct_passwords_are_not_counted, limits_fixture)
{
    for (int i = 0; i < 25; ++i)
        log_in(client, "ada@example.com");
    BOOST_TEST(wrong_logins("ada@example.com", 9) == 9u);
    log_in(client, "ada@example.com");
    BOOST_TEST(wrong_logins("ada@example.com", 3) == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_address_allows_a_hundred_failures_across_accounts, limits_fixture)
{
    for (int i = 0; i < 100; ++i)
        BOOST_TEST_REQUIRE(wrong_login(client, "p" + std::to_string(i) + "@example.com").status == 401u, i);
    auto over = wrong_login(client, "one-more@example.com");
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(over.header("RateLimit-Policy") == "\"login-ip\";q=100;w=60");
    support::http_client elsewhere(server.port(), "127.0.0.7");
    BOOST_TEST(wrong_login(elsewhere, "one-more@example.com").status == 401u);
}

BOOST_FIXTURE_TEST_CASE(an_address_allows_twenty_signups_an_hour, limits_fixture)
{
    support::http_client other(server.port(), "127.0.0.8");
    auto join = [&, n = 0](support::http_client& from) mutable {
        return from.post(base + "/signup", credentials("p" + std::to_string(++n) + "@example.com"));
    };
    for (int i = 0; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(other).status == 201u, i);
    auto over = join(other);
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(over.header("RateLimit-Policy") == "\"signup-ip\";q=20;w=3600");
    BOOST_TEST(join(client).status == 201u);
}

/// All networks of one customer together have four times as many sign-ups as a single one.
BOOST_AUTO_TEST_CASE(an_ipv6_customer_has_few_signups_in_all_of_its_networks)
{
    limits_fixture fixture({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.9"}});
    support::http_client proxy(fixture.server.port(), "127.0.0.9");
    auto join = [&](const std::string& client) {
        proxy.set("X-Forwarded-For", client);
        return proxy.post(base + "/signup", credentials("bob@example.com", "aaaaaaaaaaaa")); // too weak
    };
    unsigned answered = 0;
    for (int network = 0; network < 8; ++network)
        for (int i = 0; i < 25; ++i)
            answered += join("2a00:1:2:" + std::to_string(network) + "::7").status == 422u;
    BOOST_TEST(answered == 80u);
    BOOST_TEST(join("2a00:1:2:9::7").header("RateLimit-Policy") == "\"signup-ip56\";q=80;w=3600");
    BOOST_TEST(join("2a00:1:2:100::7").status == 422u);
    BOOST_TEST(join("203.0.113.7").status == 422u);
}

BOOST_FIXTURE_TEST_CASE(rate_limits_can_be_switched_off, account_fixture)
{
    for (int i = 0; i < 12; ++i)
        BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "not her own")).status ==
                   401u);
    for (int i = 0; i < 21; ++i)
        sign_up(client, "p" + std::to_string(i) + "@example.com");
}

BOOST_AUTO_TEST_CASE(limits_apply_to_the_client_behind_a_trusted_proxy)
{
    limits_fixture fixture({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.9"}});
    support::http_client proxy(fixture.server.port(), "127.0.0.9");
    auto join = [&, n = 0](support::http_client& from, const std::string& forwarded_for) mutable {
        from.set("X-Forwarded-For", forwarded_for);
        return from.post(base + "/signup", credentials("p" + std::to_string(++n) + "@example.com"));
    };
    for (int i = 0; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(proxy, "203.0.113.7").status == 201u, i);
    BOOST_TEST(join(proxy, "203.0.113.7").status == 429u);
    BOOST_TEST(join(proxy, "198.51.100.1, 203.0.113.7").status == 429u); // clients can forge the left end
    BOOST_TEST(join(proxy, "203.0.113.8").status == 201u);

    // X-Forwarded-For of an untrusted client is ignored. Ada has signed up from this address.
    for (int i = 1; i < 20; ++i)
        BOOST_TEST_REQUIRE(join(fixture.client, "203.0.113." + std::to_string(i)).status == 201u, i);
    BOOST_TEST(join(fixture.client, "203.0.113.99").status == 429u);
}

BOOST_AUTO_TEST_SUITE_END()
