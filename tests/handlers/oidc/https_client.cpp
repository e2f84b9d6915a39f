#include "tests/handlers/oidc/https_client_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>

using namespace handlers;
using namespace handlers::test;

BOOST_FIXTURE_TEST_SUITE(https_client, https_client_fixture)

BOOST_AUTO_TEST_CASE(a_trusted_server_answers)
{
    trust(home());
    std::promise<support::received_request> heard;
    tcp_server server(over_tls(home(), [&](tls_stream& stream) {
        heard.set_value(read_request(stream));
        send(stream, make_response("200 OK", "{\"a\":1}",
                                   "Cache-Control: public, max-age=19845, must-revalidate\r\n"));
    }));
    auto result = get("https://localhost:" + std::to_string(server.port()) + "/a%20b?c=d&e");
    BOOST_TEST(result.status == 200u);
    BOOST_TEST(result.body == "{\"a\":1}");
    BOOST_TEST((result.max_age == std::chrono::seconds(19845)));
    auto asked = heard.get_future().get();
    BOOST_TEST(asked.method_string() == "GET");
    BOOST_TEST(asked.target() == "/a%20b?c=d&e");
    BOOST_TEST(asked["Host"] == "localhost:" + std::to_string(server.port()));
    BOOST_TEST(asked["User-Agent"] == "latchkey");
    BOOST_TEST(asked["Accept"] == "application/json");
    BOOST_TEST(asked["Connection"] == "close");
    BOOST_TEST(asked.count("Authorization") == 0u);
}

BOOST_AUTO_TEST_CASE(sni_is_sent_for_names_and_not_for_addresses)
{
    trust(home());
    std::vector<std::string> names;
    {
        tcp_server server(over_tls(home(), [&](tls_stream& stream) {
            auto name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
            names.emplace_back(name ? name : "none");
            read_request(stream);
            send(stream, make_response("200 OK", ""));
        }));
        get("https://localhost:" + std::to_string(server.port()));
        BOOST_TEST(get(url_of(server, "https")).status == 200u); // by the certificate's IP:127.0.0.1
    }
    BOOST_REQUIRE(names.size() == 2u);
    BOOST_TEST(names[0] == "localhost");
    BOOST_TEST(names[1] == "none");
}

BOOST_AUTO_TEST_CASE(a_form_is_posted)
{
    std::promise<support::received_request> heard;
    tcp_server server([&](tcp_server::socket& peer) {
        heard.set_value(read_request(peer));
        send(peer, make_response("400 Bad Request", "no"));
    });
    form_fields form;
    form.emplace_back("code", "a b&c=d/é");
    form.emplace_back("empty", "");
    auto result = support::run(io, [&] { return client().post_form(url_of(server), form, "Basic YTpi"); });
    BOOST_TEST(result.status == 400u);
    BOOST_TEST(result.body == "no");
    BOOST_TEST(!result.max_age.has_value());
    auto asked = heard.get_future().get();
    BOOST_TEST(asked.method_string() == "POST");
    BOOST_TEST(asked["Content-Type"] == "application/x-www-form-urlencoded");
    BOOST_TEST(asked["Authorization"] == "Basic YTpi");
    BOOST_TEST(asked.body() == "code=a%20b%26c%3Dd%2F%C3%A9&empty=");
}

BOOST_AUTO_TEST_CASE(redirects_are_not_followed)
{
    tcp_server server(over_plain(make_response("302 Found", "", "Location: http://127.0.0.1:1/\r\n")));
    BOOST_TEST(get(url_of(server)).status == 302u);
}

BOOST_AUTO_TEST_CASE(max_age_is_read_from_cache_control)
{
    auto age_of = [this](std::string_view header) {
        tcp_server server(over_plain(make_response("200 OK", "", header)));
        auto age = get(url_of(server)).max_age;
        return age ? age->count() : -1;
    };
    BOOST_TEST(age_of("Cache-Control: max-age=60\r\n") == 60);
    BOOST_TEST(age_of("cache-control: Public , MAX-AGE=61\r\n") == 61);
    BOOST_TEST(age_of("Cache-Control: max-age=60, no-store\r\n") == 0);
    BOOST_TEST(age_of("Cache-Control: no-cache\r\n") == 0);
    for (auto odd : {"Cache-Control: ,,\r\n", "Cache-Control: max-age=\r\n", "Cache-Control: max-age=-1\r\n",
                     "Cache-Control: max-age=99999999999999\r\n", "Cache-Control: max-age=1x\r\n",
                     "Cache-Control: s-maxage=5\r\n", "Cache-Control:\r\n", ""})
        BOOST_TEST(age_of(odd) == -1, odd);
}

BOOST_AUTO_TEST_CASE(untrusted_certificates_are_rejected)
{
    std::atomic<bool> asked = false;
    auto serve = over_tls(home(), [&](tls_stream& stream) {
        read_request(stream);
        asked = true;
    });
    BOOST_TEST(has(failure_of(serve, "https"), "self-signed certificate")); // with the CAs of the system
    made.reset();
    trust(certificate("DNS:localhost"));
    BOOST_TEST(has(failure_of(serve, "https"), "certificate verify failed"));
    made.reset();
    trust(home());
    certificate ended("DNS:localhost", -60);
    BOOST_TEST(failure_of(over_tls(ended, [](tls_stream&) {}), "https") != "");
    made.reset();
    trust(ended);
    BOOST_TEST(has(failure_of(over_tls(ended, [](tls_stream&) {}), "https"), "expired"));
    BOOST_TEST(!asked);
}

BOOST_AUTO_TEST_CASE(certificates_are_valid_for_their_names_only)
{
    certificate other("DNS:issuer.example,DNS:*.wild.example");
    trust(other);
    settings.resolve = [](const std::string&) {
        return db::dns_resolver::addresses(1, asio::ip::address_v4::loopback());
    };
    tcp_server server(over_tls(other, [](tls_stream& stream) {
        read_request(stream);
        send(stream, make_response("200 OK", ""));
    }));
    auto at = [&](std::string_view host) {
        return failure_of("https://" + std::string(host) + ":" + std::to_string(server.port()));
    };
    BOOST_TEST(at("issuer.example") == "");
    BOOST_TEST(at("ISSUER.example") == "");
    BOOST_TEST(at("a.wild.example") == "");
    for (auto host : {"localhost", "127.0.0.1", "example", "a.issuer.example", "wild.example",
                      "a.b.wild.example", "issuer.example.evil.example"})
        BOOST_TEST(has(at(host), "certificate verify failed"), host << ": " << at(host));
}

BOOST_AUTO_TEST_CASE(old_tls_versions_are_rejected)
{
    trust(home());
    BOOST_TEST(failure_of(over_tls(home(), [](tls_stream&) {}, TLS1_1_VERSION), "https") != "");
    auto serve = [](tls_stream& stream) {
        read_request(stream);
        send(stream, make_response("200 OK", ""));
    };
    BOOST_TEST(failure_of(over_tls(home(), serve, TLS1_2_VERSION), "https") == "");
    BOOST_TEST(failure_of(over_plain(make_response("200 OK", "")), "https") != "");
}

BOOST_AUTO_TEST_CASE(plain_http_reaches_loopback_only)
{
    std::atomic<bool> resolved = false;
    settings.resolve = [&](const std::string&) {
        resolved = true;
        return db::dns_resolver::addresses(1, asio::ip::make_address("192.0.2.1"));
    };
    for (auto url :
         {"http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "http://192.0.2.1/",
          "http://[2001:db8::1]/", "http://0.0.0.0/", "http://127.1/", "http://2130706433/"})
        BOOST_TEST(has(failure_of(std::string(url)), "without TLS"), url);
    BOOST_TEST(!resolved);
    BOOST_TEST(failure_of(std::string("http://localhost:1/")) != ""); // a lying hosts file
    BOOST_TEST(resolved);
    BOOST_TEST((is_loopback_url("http://[::1]:8080/a") == true));
    BOOST_TEST((is_loopback_url("http://127.8.9.10/") == true));
    BOOST_TEST((is_loopback_url("http://LOCALHOST/") == true));
    BOOST_TEST((is_loopback_url("https://localhost/") == true));
    BOOST_TEST((is_loopback_url("https://example.com") == false));
    BOOST_TEST(!is_loopback_url("http://example.com").has_value());
}

BOOST_AUTO_TEST_CASE(invalid_urls_are_rejected)
{
    for (auto url : {"",
                     "/",
                     "localhost",
                     "//localhost/",
                     "ftp://localhost/",
                     "https://",
                     "https:///a",
                     "https:a",
                     "https://user@localhost/",
                     "https://user:pw@localhost/",
                     "https://localhost/#a",
                     "https://localhost:0/",
                     "https://localhost:65536/",
                     "https://localhost:x/",
                     "https://a b/",
                     "https://localhost/a b",
                     "https://localhost/a\r\nX: y",
                     "https://loc%61lhost/",
                     "https://[::1/",
                     "https://[v1.a]/",
                     "https://ex_ample.com/",
                     "https://\xc3\xa9.example/"}) {
        BOOST_TEST(has(failure_of(std::string(url)), "not the URL"),
                   url << ": " << failure_of(std::string(url)));
        BOOST_TEST(!is_loopback_url(url).has_value(), url);
    }
}

BOOST_AUTO_TEST_CASE(failure_texts_name_the_server_only)
{
    auto why = failure_of(std::string("http://127.0.0.1:1/path?secret=1"));
    BOOST_TEST(has(why, "http://127.0.0.1:1: "));
    BOOST_TEST(!has(why, "path"));
    BOOST_TEST(!has(why, "secret"));
}

BOOST_AUTO_TEST_SUITE_END()
