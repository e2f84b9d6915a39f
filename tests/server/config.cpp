// Configuration: defaults, precedence of flags, and error messages.
#include "server/config.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace {

using server::setting_list;

setting_list required_settings()
{
    setting_list out;
    out.emplace_back("database_url", "postgresql:///latchkey");
    out.emplace_back("master_key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    return out;
}

server::config valid_config(setting_list environment, setting_list flags = {})
{
    auto result = server::make_config(std::move(environment), std::move(flags));
    if (auto invalid = std::get_if<std::vector<std::string>>(&result))
        BOOST_FAIL(invalid->front());
    return std::get<server::config>(std::move(result));
}

std::vector<std::string> errors_of(setting_list environment)
{
    auto result = server::make_config(std::move(environment), {});
    BOOST_REQUIRE(std::holds_alternative<std::vector<std::string>>(result));
    return std::get<std::vector<std::string>>(result);
}

} // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(defaults_match_the_documentation)
{
    auto settings = valid_config(required_settings());
    BOOST_TEST(settings.listen.address().to_string() == "127.0.0.1");
    BOOST_TEST(settings.listen.port() == 8080);
    BOOST_TEST(settings.handlers.public_url == "http://127.0.0.1:8080");
    BOOST_TEST(settings.handlers.rate_limit_per_minute == 1000u);
    BOOST_TEST(settings.handlers.access_token_ttl.count() == 3600);
    BOOST_TEST(settings.handlers.refresh_token_ttl.count() == 2592000);
    BOOST_TEST(settings.handlers.session_max_age.count() == 7776000);
    BOOST_TEST(settings.handlers.password_costs.to_string() == "m=19456,t=2,p=1");
    BOOST_TEST((settings.argon2 == crypto::argon2_engine::built_in));
    BOOST_TEST(settings.threads >= 1u);
}

BOOST_AUTO_TEST_CASE(a_flag_overrides_its_variable)
{
    auto environment = required_settings();
    environment.emplace_back("listen", "127.0.0.1:1");
    setting_list flags;
    flags.emplace_back("listen", "[::1]:2");
    auto settings = valid_config(environment, flags);
    BOOST_TEST(settings.listen.port() == 2);
    BOOST_TEST(settings.handlers.public_url == "http://[::1]:2");
}

BOOST_AUTO_TEST_CASE(argon2_can_be_delegated_to_libargon2)
{
    auto environment = required_settings();
    environment.emplace_back("argon2", "libargon2");
    BOOST_TEST((valid_config(environment).argon2 == crypto::argon2_engine::libargon2));
}

BOOST_AUTO_TEST_CASE(all_invalid_settings_are_reported_together)
{
    setting_list environment;
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
    auto errors = errors_of(environment);
    for (auto name : {"LISTEN", "THREADS", "MASTER_KEY", "PASSWORD_HASH", "ARGON2", "JWT_ALGORITHM",
                      "LOG_LEVEL", "PUBLIC_URL", "TRUSTED_PROXIES", "CORS_ORIGINS", "RATE_LIMIT_PER_MINUTE"})
        BOOST_TEST(std::ranges::count_if(errors,
                                         [&](const std::string& line) {
                                             return line.starts_with("LATCHKEY_" + std::string(name) + ": ");
                                         }) == 1,
                   name);
}

BOOST_AUTO_TEST_CASE(missing_required_settings_are_reported)
{
    auto errors = errors_of({});
    BOOST_TEST(errors.size() == 2u);
    BOOST_TEST(errors[0].starts_with("LATCHKEY_DATABASE_URL"));
    BOOST_TEST(errors[1].starts_with("LATCHKEY_MASTER_KEY"));
}

BOOST_AUTO_TEST_CASE(an_invalid_secret_is_not_echoed)
{
    auto environment = required_settings();
    environment[1].second = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
    for (auto& line : errors_of(environment))
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
    BOOST_REQUIRE(std::holds_alternative<setting_list>(flags));
    BOOST_TEST(std::get<setting_list>(flags)[0].first == "public_url");
    BOOST_TEST(std::get<setting_list>(flags)[1].second == "3");

    for (std::string invalid : {"--no-such-flag=1", "stray", "--threads", "-t"}) {
        std::array<char*, 1> one{invalid.data()};
        BOOST_TEST(std::holds_alternative<std::string>(server::read_flags(one)), invalid);
    }
}

BOOST_AUTO_TEST_SUITE_END()
