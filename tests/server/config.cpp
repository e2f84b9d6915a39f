#include "server/config.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace {

using server::settings_text;

settings_text needed()
{
    settings_text out;
    out.emplace_back("database_url", "postgresql:///latchkey");
    out.emplace_back("master_key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    return out;
}

server::config good(settings_text environment, settings_text flags = {})
{
    auto made = server::make_config(std::move(environment), std::move(flags));
    if (auto wrong = std::get_if<std::vector<std::string>>(&made))
        BOOST_FAIL(wrong->front());
    return std::get<server::config>(std::move(made));
}

std::vector<std::string> bad(settings_text environment)
{
    auto made = server::make_config(std::move(environment), {});
    BOOST_REQUIRE(std::holds_alternative<std::vector<std::string>>(made));
    return std::get<std::vector<std::string>>(made);
}

} // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(defaults_are_those_documented)
{
    auto settings = good(needed());
    BOOST_TEST(settings.listen.address().to_string() == "127.0.0.1");
    BOOST_TEST(settings.listen.port() == 8080);
    BOOST_TEST(settings.handlers.public_url == "http://127.0.0.1:8080");
    BOOST_TEST(settings.handlers.rate_limit_per_minute == 1000u);
    BOOST_TEST(settings.handlers.access_token_ttl.count() == 3600);
    BOOST_TEST(settings.handlers.refresh_token_ttl.count() == 2592000);
    BOOST_TEST(settings.handlers.password_costs.to_string() == "m=19456,t=2,p=1");
    BOOST_TEST((settings.argon2 == crypto::argon2_engine::own));
    BOOST_TEST(settings.threads >= 1u);
}

BOOST_AUTO_TEST_CASE(a_flag_overrides_its_variable)
{
    auto environment = needed();
    environment.emplace_back("listen", "127.0.0.1:1");
    settings_text flags;
    flags.emplace_back("listen", "[::1]:2");
    auto settings = good(environment, flags);
    BOOST_TEST(settings.listen.port() == 2);
    BOOST_TEST(settings.handlers.public_url == "http://[::1]:2");
}

BOOST_AUTO_TEST_CASE(argon2_may_be_left_to_the_library)
{
    auto environment = needed();
    environment.emplace_back("argon2", "libargon2");
    BOOST_TEST((good(environment).argon2 == crypto::argon2_engine::libargon2));
}

BOOST_AUTO_TEST_CASE(every_wrong_setting_is_named_at_once)
{
    settings_text environment;
    environment.emplace_back("listen", "localhost");
    environment.emplace_back("threads", "0");
    environment.emplace_back("master_key", "short");
    environment.emplace_back("password_hash", "m=1,t=1,p=1");
    environment.emplace_back("argon2", "mine");
    environment.emplace_back("jwt_algorithm", "none");
    environment.emplace_back("log_level", "loud");
    environment.emplace_back("public_url", "ftp://x");
    environment.emplace_back("trusted_proxies", "10.0.0.0/33");
    environment.emplace_back("cors_origins", "https://a.example/path");
    environment.emplace_back("rate_limit_per_minute", "-1");
    auto lines = bad(environment);
    for (auto name : {"LISTEN", "THREADS", "MASTER_KEY", "PASSWORD_HASH", "ARGON2", "JWT_ALGORITHM",
                      "LOG_LEVEL", "PUBLIC_URL", "TRUSTED_PROXIES", "CORS_ORIGINS", "RATE_LIMIT_PER_MINUTE"})
        BOOST_TEST(std::ranges::count_if(lines,
                                         [&](const std::string& line) {
                                             return line.starts_with("LATCHKEY_" + std::string(name) + ": ");
                                         }) == 1,
                   name);
}

BOOST_AUTO_TEST_CASE(what_is_needed_is_asked_for)
{
    auto lines = bad({});
    BOOST_TEST(lines.size() == 2u);
    BOOST_TEST(lines[0].starts_with("LATCHKEY_DATABASE_URL"));
    BOOST_TEST(lines[1].starts_with("LATCHKEY_MASTER_KEY"));
}

BOOST_AUTO_TEST_CASE(a_wrong_secret_is_not_repeated)
{
    auto environment = needed();
    environment[1].second = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
    for (auto& line : bad(environment))
        BOOST_TEST(line.find("c2Vj") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(variables_and_flags_become_settings)
{
    std::array<char*, 4> environment{};
    std::string listen = "LATCHKEY_LISTEN=127.0.0.1:5", other = "PATH=/bin", empty = "LATCHKEY_THREADS=";
    environment[0] = listen.data();
    environment[1] = other.data();
    environment[2] = empty.data();
    auto variables = server::read_environment(environment.data());
    BOOST_REQUIRE(variables.size() == 1u);
    BOOST_TEST(variables[0].first == "listen");

    std::string a = "--public-url", b = "https://x.example", c = "--threads=3";
    std::array<char*, 3> arguments{a.data(), b.data(), c.data()};
    auto flags = server::read_flags(arguments);
    BOOST_REQUIRE(std::holds_alternative<settings_text>(flags));
    BOOST_TEST(std::get<settings_text>(flags)[0].first == "public_url");
    BOOST_TEST(std::get<settings_text>(flags)[1].second == "3");

    for (std::string wrong : {"--no-such-flag=1", "stray", "--threads", "-t"}) {
        std::array<char*, 1> one{wrong.data()};
        BOOST_TEST(std::holds_alternative<std::string>(server::read_flags(one)), wrong);
    }
}

BOOST_AUTO_TEST_SUITE_END()
