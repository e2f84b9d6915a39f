// Connections with TLS: requests of all shapes, slow and broken handshakes, the PROXY protocol, the end.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/client_hello.hpp"
#include "tests/e2e/support/tls_fixture.hpp"

#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <string>

using namespace e2e;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const std::string health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

std::string header_of(char last)
{
    return "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"s + "\xcb\x00\x71"s + last +
           "\xc0\x00\x02\x01\x10\x20\x01\xbb"s;
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t out = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++out;
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls_connections)

BOOST_FIXTURE_TEST_CASE(a_connection_serves_many_requests_in_both_versions, tls_fixture)
{
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        support::tls_client client(server.port(), {.greatest_version = version, .authorities = own.cert()});
        for (int i = 0; i < 100; ++i)
            BOOST_TEST_REQUIRE(client.get("/healthz").status == 200u);
        // Pipelined, in one record and one byte a record.
        for (int i = 0; i < 3; ++i)
            BOOST_TEST(client.send(health + health));
        for (char c : health)
            client.send(std::string(1, c));
        BOOST_TEST(client.exchange("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status ==
                   200u);
        BOOST_TEST(count(client.receive(), "HTTP/1.1 200") == 7u);
        BOOST_TEST(client.is_closed_gracefully());
    }
}

BOOST_FIXTURE_TEST_CASE(a_large_file_arrives_whole, tls_fixture)
{
    support::tls_client client(server.port());
    auto page = client.get("/docs").body;
    auto end = page.find("/docs/swagger-ui-bundle.js");
    auto begin = page.rfind("/assets/", end);
    BOOST_REQUIRE(begin != page.npos);
    auto bundle = client.get(page.substr(begin, end - begin) + "/docs/swagger-ui-bundle.js");
    BOOST_TEST(bundle.status == 200u);
    BOOST_TEST(std::to_string(bundle.body.size()) == bundle.header("Content-Length"));
    BOOST_TEST(client.get("/healthz").status == 200u); // the connection goes on
}

BOOST_FIXTURE_TEST_CASE(sign_up_and_check_a_key, tls_fixture)
{
    support::tls_client client(server.port());
    auto body = support::object({{"email", "ada@example.com"}, {"password", "long enough"}});
    auto made =
        client.exchange("POST " + base + "/signup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
                        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(client.get(base + "/auth", made.text("/access_token")).status == 200u);
    BOOST_TEST(client.get(base + "/auth", "made-up").status == 401u);
}

/// Records of 16 KiB, which arrive in parts, and several in one read.
BOOST_FIXTURE_TEST_CASE(large_bodies_arrive_whole, tls_fixture)
{
    auto with_body = [](const std::string& line, const std::string& more, const std::string& body) {
        return line + " HTTP/1.1\r\nHost: a\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    };
    const std::string json = "Content-Type: application/json\r\n", png = "Content-Type: image/png\r\n";
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        support::tls_client client(server.port(), {.greatest_version = version});
        auto account = support::object(
            {{"email", "ada" + std::to_string(version) + "@example.com"}, {"password", "long enough"}});
        auto made = client.exchange(with_body("POST " + base + "/signup", json, account));
        BOOST_TEST_REQUIRE(made.status == 201u);
        auto session = "Authorization: Bearer " + made.text("/access_token") + "\r\n";
        for (std::size_t size : {1u, 4095u, 4096u, 16'383u, 16'384u, 16'385u, 40'000u, 60'000u}) {
            // No byte may be missing or changed: the body is JSON with its members far apart.
            auto body = "{\"name\":" + std::string(size, ' ') + "\"" + std::to_string(size) + "\"}";
            auto changed = client.exchange(with_body("PATCH " + base + "/me", session + json, body));
            BOOST_TEST(changed.status == 200u, size << " " << changed.body);
            BOOST_TEST(changed.text("/user/name") + changed.text("/name") == std::to_string(size));
        }
        for (std::size_t size : {100'000u, 900'000u}) {
            auto refused = client.exchange(
                with_body("PUT " + base + "/me/avatar", session + png, std::string(size, 'x')));
            BOOST_TEST(refused.status == 415u, size << " " << refused.body); // read whole, and no image
            BOOST_TEST(client.get("/healthz").status == 200u);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(large_responses_wait_for_a_slow_reader, tls_fixture)
{
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        support::tls_client client(server.port(), {.greatest_version = version});
        auto expected = client.get("/openapi.json").body;
        BOOST_TEST(expected.size() > 65'536u);
        // More than the buffers of both sockets hold: the server waits in the middle of a record.
        constexpr int requests = 200;
        std::string all;
        for (int i = 0; i < requests; ++i)
            all += "GET /openapi.json HTTP/1.1\r\nHost: a\r\n" +
                   (i + 1 < requests ? ""s : "Connection: close\r\n"s) + "\r\n";
        BOOST_TEST(client.send(all));
        BOOST_TEST(support::tls_client(server.port()).get("/healthz").status == 200u); // others are served
        auto received = client.receive();
        BOOST_TEST(count(received, expected) == static_cast<std::size_t>(requests));
        BOOST_TEST(client.is_closed_gracefully());
    }
}

BOOST_FIXTURE_TEST_CASE(a_slow_handshake_holds_no_other_up_and_is_cut, tls_fixture)
{
    auto hello = client_hello().bytes();
    std::deque<support::raw_connection> slow;
    for (std::size_t i = 0; i < 50; ++i)
        slow.emplace_back(server.port()).send(hello.substr(0, 1 + i));
    support::raw_connection silent(server.port());
    auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < 50; ++i) {
        slow[0].send(hello.substr(1 + i, 1));
        BOOST_TEST(support::tls_client(server.port()).get("/healthz").status == 200u);
    }
    BOOST_TEST((std::chrono::steady_clock::now() - start < 10s));
    for (auto& one : slow)
        BOOST_TEST(one.receive_all(40s).has_value());
    BOOST_TEST(silent.receive_all(40s).value_or("still open") == "");
    BOOST_TEST(has_failures("timeout", 50));
    BOOST_TEST(metric("latchkey_tls_handshake_failures_total{reason=\"disconnected\"}") == 0.0);
}

BOOST_FIXTURE_TEST_CASE(an_unfinished_handshake_gives_way, tls_fixture)
{
    tls_fixture small({{"LATCHKEY_MAX_CONNECTIONS", "20"}, {"LATCHKEY_THREADS", "1"}});
    std::deque<support::raw_connection> slow;
    for (int i = 0; i < 20; ++i)
        slow.emplace_back(small.server.port()).send(client_hello().bytes().substr(0, 20));
    BOOST_TEST(
        support::eventually([&] { return support::handshake_error(small.server.port(), {}).empty(); }));
}

BOOST_FIXTURE_TEST_CASE(a_handshake_in_single_bytes_succeeds, tls_fixture)
{
    support::raw_connection line(server.port());
    for (char c : client_hello().bytes())
        BOOST_TEST(line.send(std::string(1, c)));
    line.end_sending();
    auto answer = line.receive_all().value_or("");
    BOOST_TEST_REQUIRE(answer.size() > 100u);
    BOOST_TEST(answer[5] == 2); // ServerHello
    BOOST_TEST(has_failures("disconnected", 1));
}

BOOST_FIXTURE_TEST_CASE(garbage_in_place_of_a_handshake_ends_the_connection, tls_fixture)
{
    auto hello = client_hello().bytes();
    auto oversized = hello;
    oversized[3] = '\xff';
    auto wrong_type = hello;
    wrong_type[5] = 0x63;
    std::size_t sent = 0;
    for (auto& bytes :
         {"\0\0\0\0"s, "\xff\xff\xff\xff\xff\xff"s, "\x16"s + std::string(600, '\xee'),
          "\x15\x03\x01\0\2\2\x28"s, "\x17\x03\x03\0\5hello"s, oversized + std::string(70'000, 'x'),
          wrong_type, "get / http/1.1\r\n\r\n"s, "\r\n\r\n\0\r\nQUIT\n"s}) {
        support::raw_connection line(server.port());
        line.send(bytes);
        line.end_sending();
        auto answer = line.receive_all();
        BOOST_TEST_REQUIRE(answer.has_value(), "open after message " << sent);
        BOOST_TEST((answer->empty() || alert_in(*answer) > 0), "after message " << sent);
        ++sent;
    }
    // Every prefix, and every byte of the message changed.
    for (std::size_t i = 1; i < hello.size(); ++i) {
        auto changed = hello;
        changed[i] = static_cast<char>(changed[i] ^ 0x55);
        for (auto& bytes : {hello.substr(0, i), changed}) {
            support::raw_connection line(server.port());
            line.send(bytes);
            line.end_sending();
            BOOST_TEST_REQUIRE(line.receive_all().has_value(), "byte " << i);
        }
    }
    BOOST_TEST(support::tls_client(server.port()).get("/healthz").status == 200u);
    BOOST_TEST(server.is_running());
    BOOST_TEST(has_failures("malformed", 5));
    BOOST_TEST(server.logs("refused TLS handshakes not logged"));
}

BOOST_FIXTURE_TEST_CASE(records_that_are_not_authentic_end_the_connection, tls_fixture)
{
    support::tls_client client(server.port());
    BOOST_TEST(client.get("/healthz").status == 200u);
    auto forged = "\x17\x03\x03\0\x20"s + std::string(32, 'x');
    BOOST_TEST(::send(SSL_get_fd(client.native()), forged.data(), forged.size(), MSG_NOSIGNAL) > 0);
    BOOST_TEST(client.receive() == "");
}

BOOST_FIXTURE_TEST_CASE(plain_http_is_answered_with_400, tls_fixture)
{
    for (auto& request : {health, "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"s,
                          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s}) {
        support::raw_connection line(server.port());
        line.send(request);
        auto refused = line.receive();
        BOOST_TEST(refused.status == 400u);
        BOOST_TEST(refused.code() == "bad_request");
        BOOST_TEST(refused.text("/detail").find("HTTPS") != std::string::npos, refused.body);
        line.end_sending();
        BOOST_TEST(line.receive_all().value_or("open") == "");
    }
    BOOST_TEST(has_failures("plain_http", 3));
    BOOST_TEST(support::http_client(server.admin_port()).get("/healthz").status == 200u); // which is for HTTP
}

BOOST_AUTO_TEST_CASE(the_proxy_header_comes_before_tls)
{
    tls_fixture fixture({{"LATCHKEY_PROXY_PROTOCOL", "true"},
                         {"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1"},
                         {"LATCHKEY_MAX_CONNECTIONS_PER_NETWORK", "2"}});
    auto port = fixture.server.port();
    support::tls_client one(port, {.before = header_of(1)}), two(port, {.before = header_of(2)});
    BOOST_TEST(one.get(base + "/me").status == 401u);
    BOOST_TEST(two.get(base + "/me").status == 401u);
    BOOST_TEST(fixture.server.logs("\"client\":\"203.0.113.1\""));
    BOOST_TEST(support::handshake_error(port, {.before = header_of(3)}) != ""); // over the cap of its network

    // Header and handshake in the same segment, and without a header.
    support::raw_connection at_once(port), without(port);
    at_once.send("\r\n\r\n\0\r\nQUIT\n\x20\x11\0\0"s + client_hello().bytes());
    at_once.end_sending();
    auto answer = at_once.receive_all().value_or("");
    BOOST_TEST_REQUIRE(answer.size() > 100u);
    BOOST_TEST(answer[0] == 22);
    without.send(client_hello().bytes());
    BOOST_TEST(without.receive_all().value_or("open") == "");
}

BOOST_AUTO_TEST_CASE(a_drained_server_ends_its_connections_gracefully)
{
    tls_fixture fixture;
    support::tls_client idle(fixture.server.port()), other(fixture.server.port());
    BOOST_TEST(idle.get("/healthz").status == 200u);
    BOOST_TEST(other.get("/healthz").status == 200u);
    BOOST_TEST(fixture.server.stop() == 0);
    BOOST_TEST(idle.receive() == "");
    BOOST_TEST(idle.is_closed_gracefully());
    BOOST_TEST(other.receive() == "");
    BOOST_TEST(other.is_closed_gracefully());
}

BOOST_AUTO_TEST_SUITE_END()
