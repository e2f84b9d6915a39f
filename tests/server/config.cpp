// Configuration: defaults, precedence of flags, and error messages.
#include "server/config.hpp"

#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <fstream>
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
    BOOST_TEST(settings.max_connections == 65'536u);
    BOOST_TEST(settings.max_connections_per_network == 16'384u);
    BOOST_TEST(settings.body_memory >= std::size_t{128} << 20);
    BOOST_TEST(!settings.proxy_protocol);
}

BOOST_AUTO_TEST_CASE(every_thread_can_receive_two_of_the_largest_bodies)
{
    auto environment = required_settings();
    environment.emplace_back("body_mib", "4");
    environment.emplace_back("threads", "3");
    BOOST_TEST(valid_config(environment).body_memory == std::size_t{12} << 20);
    environment.back().second = "1";
    BOOST_TEST(valid_config(environment).body_memory == std::size_t{4} << 20);
}

BOOST_AUTO_TEST_CASE(tls_needs_a_certificate_and_its_key)
{
    auto with = [](setting_list more) {
        auto out = required_settings();
        out.insert(out.end(), more.begin(), more.end());
        return out;
    };
    BOOST_TEST(!valid_config(required_settings()).tls);
    setting_list both{{"tls_cert", "a.pem"}, {"tls_key", "b.pem"}};
    auto settings = valid_config(with(both));
    BOOST_TEST_REQUIRE(settings.tls.has_value());
    BOOST_TEST(settings.tls->cert == "a.pem");
    BOOST_TEST(settings.tls->key == "b.pem");
    BOOST_TEST(settings.tls->client_ca == "");
    BOOST_TEST(settings.handlers.public_url == "https://127.0.0.1:8080");
    both.emplace_back("tls_client_ca", "c.pem");
    BOOST_TEST(valid_config(with(both)).tls->client_ca == "c.pem");

    for (auto& one : both) {
        auto errors = errors_of(with({one}));
        BOOST_TEST_REQUIRE(errors.size() == 1u);
        BOOST_TEST(errors[0].starts_with("LATCHKEY_TLS_"), errors[0]);
    }
}

BOOST_AUTO_TEST_CASE(the_proxy_protocol_requires_trusted_proxies)
{
    auto environment = required_settings();
    environment.emplace_back("proxy_protocol", "true");
    auto errors = errors_of(environment);
    BOOST_TEST_REQUIRE(errors.size() == 1u);
    BOOST_TEST(errors[0].starts_with("LATCHKEY_PROXY_PROTOCOL: requires LATCHKEY_TRUSTED_PROXIES"));
    environment.emplace_back("trusted_proxies", "10.0.0.0/8");
    BOOST_TEST(valid_config(environment).proxy_protocol);
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

/// A value of a setting, and a part of the error message; no message: the value is accepted.
struct value_case {
    const char *setting, *value, *message;
};

const value_case values[] = {
    {"public_url", "https://id.example.com", ""},
    {"public_url", "https://id.example.com/", ""},
    {"public_url", "https://id.example.com:8443/auth", ""},
    {"public_url", "http://[2001:db8::1]:8080", ""},
    {"public_url", "http://127.0.0.1:0", ""},
    {"public_url", "https://id.example.com?x=1", "without user"},
    {"public_url", "https://id.example.com/#top", "without user"},
    {"public_url", "https://user@id.example.com", "without user"},
    {"public_url", "https://ID.example.com", "lower case"},
    {"public_url", "https://id.example.com:443", "default port"},
    {"public_url", "http://id.example.com:80/", "default port"},
    {"public_url", "https://id.example.com:", "default port"},
    {"public_url", "id.example.com", "must be a URL"},
    {"public_url", "https:///auth", "must be a URL"},

    {"admin_listen", "127.0.0.1:9090", ""},
    {"admin_listen", "127.0.0.2:8080", ""},
    {"admin_listen", "127.0.0.1:8080", "another address or port"},
    {"admin_listen", "0.0.0.0:8080", "another address or port"},
    {"admin_listen", "9090", "address:port"},

    {"cors_origins", "https://app.example.com, http://localhost:3000", ""},
    {"cors_origins", "capacitor://localhost", ""},
    {"cors_origins", "https://app.example.com:8443", ""},
    {"cors_origins", "https://app.example.com/", "trailing slash"},
    {"cors_origins", "https://app.example.com/path", "without a path"},
    {"cors_origins", "https://App.example.com", "in lower case"},
    {"cors_origins", "HTTPS://app.example.com", "in lower case"},
    {"cors_origins", "https://app.example.com:443", "default port"},
    {"cors_origins", "https://app.example.com:", "default port"},
    {"cors_origins", "https://*.example.com", "wildcard"},
    {"cors_origins", "*", "must be origins"},
    {"cors_origins", "null", "must be origins"},
    {"cors_origins", "https://user@app.example.com", "must be origins"},
    {"cors_origins", "https://app.example.com?x", "must be origins"},
    {"cors_origins", "https://a.example,app.example.com", "must be origins"},

    {"trusted_proxies", "10.1.0.0/16, 2001:db8::/32, 192.0.2.7", ""},
    {"trusted_proxies", "10.1.2.3/16", "bits behind the length"},
    {"trusted_proxies", "2001:db8::1/32", "bits behind the length"},
    {"trusted_proxies", "0.0.0.0/0", "all addresses"},
    {"trusted_proxies", "10.0.0.1,::/0", "all addresses"},
    {"trusted_proxies", "ingress", "addresses or networks"},
    {"trusted_proxies", "10.0.0.0/33", "addresses or networks"},

    {"redirect_allowlist", "https://app.example.com/in?from=mail,http://localhost:3000/in", ""},
    {"redirect_allowlist", "http://127.0.0.1/in, http://[::1]:3000/in", ""},
    {"redirect_allowlist", "com.example.app:/signed-in", ""},
    {"redirect_allowlist", "/signed-in", "absolute URLs"},
    {"redirect_allowlist", "app.example.com/in", "absolute URLs"},
    {"redirect_allowlist", "https:app.example.com", "absolute URLs"},
    {"redirect_allowlist", "https://app.example.com/in#x", "fragment"},
    {"redirect_allowlist", "http://app.example.com/in", "loopback"},
    {"redirect_allowlist", "http://localhost.example.com/in", "loopback"},
    {"redirect_allowlist", "https://user:x@app.example.com/in", "without user"},
    {"redirect_allowlist", "JavaScript:alert(1)", "absolute URLs"},
    {"redirect_allowlist", "data:text/html,x", "absolute URLs"},

    {"access_token_ttl", "2592000", ""},
    {"access_token_ttl", "2592001", "must not be longer than LATCHKEY_REFRESH_TOKEN_TTL"},
    {"access_token_ttl", "0", "must be at least 1"},
    {"refresh_token_ttl", "60", ""},
    {"verify_token_ttl", "315360001", "must be at most"},
    {"drain_delay", "0", ""},
    {"drain_delay", "601", "must be at most"},

    {"extra_resources", "leads,deals", ""},
    {"extra_resources", "leads,team", "team is a resource of Latchkey itself"},
    {"extra_resources", "Leads", "must be resource names"},

    {"smtp_url", "smtp://:secret@mail.example.com", "must be a URL"},
    {"smtp_url", "smtp://mail.example.com/path", "must be a URL"},
    {"smtp_url", "smtp://mail.example.com#x", "must be a URL"},
    {"google_issuer", "http://accounts.example.com", "must be the issuer's URL"},
    {"google_issuer", "https://accounts.example.com?x=1", "without user"},
    {"google_issuer", "https://accounts.example.com#x", "must be the issuer's URL"},
    {"google_authoritative_domains", "*", ""},
    {"google_authoritative_domains",
     "example.com, B\xc3\xbc"
     "cher.example",
     ""},
    {"google_authoritative_domains", "example.com,*.example.org", "must be *, or email domains"},
    {"google_authoritative_domains", "example", "must be *, or email domains"},
};

BOOST_AUTO_TEST_CASE(values_that_never_match_or_are_unsafe_are_rejected)
{
    for (auto& [setting, value, message] : values) {
        auto environment = required_settings();
        environment.emplace_back("mail_from", "a@example.com");
        if (std::string_view(setting).starts_with("google_")) {
            environment.emplace_back("google_client_id", "id");
            environment.emplace_back("google_client_secret", "secret");
        }
        if (setting == std::string_view("google_authoritative_domains"))
            environment.emplace_back("google_issuer", "https://accounts.example.com");
        environment.emplace_back(setting, value);
        auto result = server::make_config(environment, {});
        auto errors = std::get_if<std::vector<std::string>>(&result);
        BOOST_TEST_CONTEXT(setting << " " << value << ": " << (errors ? errors->front() : "accepted"))
        {
            BOOST_TEST((errors != nullptr) == !std::string_view(message).empty());
            if (errors) {
                BOOST_TEST(errors->size() == 1u);
                BOOST_TEST(errors->front().starts_with(server::variable_of(setting) + ": "));
                BOOST_TEST(errors->front().find(message) != std::string::npos);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(authoritative_domains_are_for_other_issuers_than_google)
{
    auto environment = required_settings();
    environment.emplace_back("google_client_id", "id");
    environment.emplace_back("google_client_secret", "secret");
    environment.emplace_back("google_authoritative_domains", "example.com, B\xc3\xbc"
                                                             "cher.example");
    BOOST_TEST(errors_of(environment).at(0).starts_with("LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS: requires"));
    environment.emplace_back("google_issuer", "https://accounts.google.com");
    BOOST_TEST(errors_of(environment).at(0).starts_with("LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS: requires"));
    environment.back().second = "https://accounts.example.com";
    std::vector<std::string> expected{"example.com", "xn--bcher-kva.example"};
    BOOST_TEST(valid_config(environment).handlers.authoritative_domains == expected,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_access_token_lives_no_longer_than_a_refresh_token)
{
    auto environment = required_settings();
    environment.emplace_back("refresh_token_ttl", "60");
    BOOST_TEST(valid_config(environment).handlers.access_token_ttl.count() == 60);
}

BOOST_AUTO_TEST_CASE(secrets_are_read_from_files)
{
    support::temporary_folder folder;
    auto write = [&](const std::string& name, const std::string& content) {
        std::ofstream(folder.path() + "/" + name) << content;
        return folder.path() + "/" + name;
    };
    auto key = required_settings()[1].second;
    setting_list environment;
    environment.emplace_back("database_url_file", write("database", "postgresql:///latchkey"));
    environment.emplace_back("master_key_file", write("key", key + "\n"));
    environment.emplace_back("smtp_url_file", write("smtp", "smtp://user:p%0A@mail.example.com"));
    environment.emplace_back("google_client_secret_file", write("client", "secret\n"));
    environment.emplace_back("google_client_id", "id");
    environment.emplace_back("mail_from", "a@example.com");
    auto settings = valid_config(environment);
    BOOST_TEST(settings.database_url == "postgresql:///latchkey");
    BOOST_TEST(settings.smtp.value().password == "p\n");
    BOOST_TEST(settings.google.value().client_secret == "secret");

    auto error_of_key = [&](setting_list more, const std::string& path) {
        more.insert(more.begin(), required_settings()[0]);
        more.emplace_back("master_key_file", path);
        auto errors = errors_of(more);
        BOOST_TEST(errors.size() == 1u);
        return errors.front();
    };
    BOOST_TEST(error_of_key({}, write("two", key + "\n\n")).starts_with("LATCHKEY_MASTER_KEY: must be"));
    auto absent = folder.path() + "/absent";
    BOOST_TEST(error_of_key({}, absent) ==
               "LATCHKEY_MASTER_KEY_FILE: " + absent + " cannot be read: No such file or directory");
    BOOST_TEST(error_of_key({}, folder.path()).find("cannot be read: Is a directory") != std::string::npos);
    BOOST_TEST(error_of_key({}, "/dev/zero").find("more than 64 KiB") != std::string::npos);
    BOOST_TEST(error_of_key({}, write("empty", "")).starts_with("LATCHKEY_MASTER_KEY: must be"));
    BOOST_TEST(error_of_key({required_settings()[1]}, folder.path() + "/key")
                   .starts_with("LATCHKEY_MASTER_KEY_FILE: the variable without _FILE is set as well"));
}

BOOST_AUTO_TEST_CASE(secrets_are_no_flags)
{
    for (std::string flag : {"--master-key", "--database-url", "--smtp-url", "--google-client-secret"}) {
        std::string value = "s3cret", joined = flag + "=" + value;
        std::array<char*, 2> apart{flag.data(), value.data()};
        std::array<char*, 1> one{joined.data()};
        for (auto& result : {server::read_flags(apart), server::read_flags(one)}) {
            auto error = std::get_if<std::string>(&result);
            BOOST_REQUIRE_MESSAGE(error, flag);
            BOOST_TEST(error->starts_with(flag + ": "));
            BOOST_TEST(error->find("_FILE") != std::string::npos);
            BOOST_TEST(error->find(value) == std::string::npos);
        }
        std::string file = flag + "-file=/run/secrets/x";
        std::array<char*, 1> by_file{file.data()};
        BOOST_TEST(std::holds_alternative<setting_list>(server::read_flags(by_file)), file);
    }
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

BOOST_AUTO_TEST_CASE(the_brand_is_a_name_a_picture_and_a_colour)
{
    BOOST_TEST(valid_config(required_settings()).handlers.brand.name == "Latchkey");
    support::temporary_folder folder;
    auto file_with = [&folder](const std::string& name, const std::string& content) {
        std::ofstream(folder.path() + "/" + name, std::ios::binary) << content;
        return folder.path() + "/" + name;
    };
    auto with = [](const std::string& name, const std::string& value) {
        auto out = required_settings();
        out.emplace_back(name, value);
        return out;
    };
    auto svg =
        valid_config(with("brand_logo", file_with("a", "\n<?xml version=\"1.0\"?><svg/>"))).handlers.brand;
    BOOST_TEST(svg.is_logo_svg);
    auto png = valid_config(with("brand_logo", file_with("b", "\x89PNG\r\n\x1a\n..."))).handlers.brand;
    BOOST_TEST(!png.is_logo_svg);
    BOOST_TEST(png.logo.size() == 11u);
    BOOST_TEST(valid_config(with("brand_accent", "#Ff8800")).handlers.brand.accent == "#Ff8800");
    BOOST_TEST(valid_config(with("brand_name", "Acme & Sons")).handlers.brand.name == "Acme & Sons");

    for (auto& wrong :
         {folder.path() + "/missing", folder.path(), file_with("empty", ""), file_with("c", "GIF89a"),
          file_with("d", "<html><svg/></html>"), file_with("e", "<svg>" + std::string(300'000, ' '))})
        BOOST_TEST(errors_of(with("brand_logo", wrong)).front().starts_with("LATCHKEY_BRAND_LOGO: "), wrong);
    for (auto wrong : {"red", "#fff", "ff8800", "#ff880", "#ff88000", "#gg8800", "#ff8800;}"})
        BOOST_TEST(errors_of(with("brand_accent", wrong)).front().starts_with("LATCHKEY_BRAND_ACCENT: "),
                   wrong);
    for (auto& wrong : {std::string(" "), std::string(65, 'x'), std::string("a\nb")})
        BOOST_TEST(errors_of(with("brand_name", wrong)).front().starts_with("LATCHKEY_BRAND_NAME: "), wrong);
}

BOOST_AUTO_TEST_SUITE_END()
