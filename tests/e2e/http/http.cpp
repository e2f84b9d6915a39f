// HTTP/1.1 over raw sockets: required behavior, malformed requests, limits, and shutdown.
#include "tests/support/http.hpp"

#include "tests/support/database.hpp"
#include "tests/support/server.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace {

struct http_fixture {
    support::database db;
    support::running_server server{db.conninfo()};

    std::string ask(const std::string& bytes)
    {
        support::raw_connection line(server.port());
        line.send(bytes);
        return line.receive_all().value_or("still open");
    }
};

constexpr auto health = "GET /healthz HTTP/1.1\r\nHost: a\r\n";

} // namespace

BOOST_AUTO_TEST_SUITE(http)

BOOST_FIXTURE_TEST_CASE(malformed_requests_get_400_and_the_connection_is_closed, http_fixture)
{
    const std::vector<std::string> bad = {
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: 1\r\n  folded\r\n\r\n",
        "GET /healthz HTTP/1.1\nHost: a\n\n",
        "GET http://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        std::string("GET /healthz HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 40),
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /healthz HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x01\x01\x01\xfc", // a TLS ClientHello
        "\r\n\r\n\r\n",
    };
    for (auto& bytes : bad)
        BOOST_TEST(ask(bytes).starts_with("HTTP/1.1 400 "), bytes);
    BOOST_TEST(ask(std::string(health) + "Connection: close\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

BOOST_FIXTURE_TEST_CASE(the_header_size_is_limited, http_fixture)
{
    auto header_of = [](std::size_t size) {
        return std::string(health) + "Connection: close\r\nCookie: " + std::string(size, 'x') + "\r\n\r\n";
    };
    auto large = ask(header_of(32'000));
    BOOST_TEST(large.starts_with("HTTP/1.1 200 "), large);
    auto too_large = ask(header_of(33'000));
    BOOST_TEST(too_large.starts_with("HTTP/1.1 431 "), too_large);
}

BOOST_FIXTURE_TEST_CASE(the_body_size_is_limited_with_and_without_content_length, http_fixture)
{
    std::string head = "POST /api/v1/users/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    BOOST_TEST(ask(head + "Content-Length: 70000\r\n\r\n").starts_with("HTTP/1.1 413 "));
    auto chunked =
        ask(head + "Transfer-Encoding: chunked\r\n\r\n11170\r\n" + std::string(70'000, ' ') + "\r\n");
    BOOST_TEST(chunked.starts_with("HTTP/1.1 413 "), chunked);
    auto within = ask(head + "Connection: close\r\nContent-Length: 65536\r\n\r\n" + std::string(65'536, ' '));
    BOOST_TEST(within.starts_with("HTTP/1.1 400 "),
               within); // within the limit: read, and rejected as no JSON
}

BOOST_FIXTURE_TEST_CASE(chunk_lines_are_limited_and_trailers_rejected, http_fixture)
{
    std::string head = "POST /api/v1/users/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n";
    BOOST_TEST(ask(head + "2;x=" + std::string(40'000, 'a')).starts_with("HTTP/1.1 431 "));
    BOOST_TEST(ask(head + "2\r\n{}\r\n0\r\nX: " + std::string(40'000, 'a')).starts_with("HTTP/1.1 431 "));
    auto trailing = ask(head + "2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n");
    BOOST_TEST(trailing.starts_with("HTTP/1.1 400 "), trailing);
    support::raw_connection line(server.port());
    line.send(head + "1;x=y\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
    BOOST_TEST(line.receive().status == 422u);
}

BOOST_FIXTURE_TEST_CASE(pipelined_requests_are_answered_in_order, http_fixture)
{
    std::string many;
    for (int i = 0; i < 50; ++i) {
        auto id = "X-Request-Id: n" + std::to_string(i) + "\r\n\r\n";
        many += i % 2 ? "GET /readyz HTTP/1.1\r\nHost: a\r\n" + id
                      : health + id; // one awaits the database, one does not
    }
    many += std::string(health) + "Connection: close\r\n\r\n";
    auto answers = ask(many);
    std::size_t at = 0;
    for (int i = 0; i < 50; ++i) {
        at = answers.find("X-Request-Id: n" + std::to_string(i) + "\r\n", at);
        BOOST_REQUIRE_MESSAGE(at != std::string::npos, i);
    }
}

BOOST_FIXTURE_TEST_CASE(a_request_may_arrive_byte_by_byte, http_fixture)
{
    support::raw_connection line(server.port());
    for (char c : std::string(health) + "\r\n")
        line.send(std::string_view(&c, 1));
    BOOST_TEST(line.receive().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_folded_header_is_rejected_however_it_is_split, http_fixture)
{
    std::string folded = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\nY: 3\r\n\r\n";
    for (std::size_t cut = 1; cut < folded.size(); ++cut) {
        support::raw_connection line(server.port());
        line.send(folded.substr(0, cut));
        std::this_thread::sleep_for(std::chrono::milliseconds(5)); // so that each part is a read of its own
        line.send(folded.substr(cut));
        BOOST_TEST(line.receive().status == 400u, cut);
    }
}

BOOST_AUTO_TEST_CASE(endless_pipelining_uses_bounded_memory)
{
    support::database db;
    // AddressSanitizer's quarantine would hide memory that the server retains.
    support::running_server server(db.conninfo(), {{"ASAN_OPTIONS", "quarantine_size_mb=1"}});
    support::raw_connection line(server.port());
    std::string one = std::string(health) + "X: " + std::string(5'000, 'x') + "\r\n\r\n";
    line.send(one.substr(0, 10));
    auto ask_times = [&](int requests) { // no write ends at the end of a request
        for (int i = 0; i < requests; ++i) {
            line.send(one.substr(10) + one.substr(0, 10));
            BOOST_TEST_REQUIRE(line.receive().status == 200u);
        }
    };
    ask_times(1'000); // warm-up: pages touched once
    auto before = server.resident_bytes();
    ask_times(5'000); // 25 MB
    BOOST_TEST(server.resident_bytes() < before + 8 * 1024 * 1024);
}

BOOST_FIXTURE_TEST_CASE(expect_100_continue_is_answered, http_fixture)
{
    support::raw_connection line(server.port());
    line.send("POST /api/v1/users/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
              "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(line.receive().status == 100u);
    line.send("{}");
    BOOST_TEST(line.receive().status == 422u);

    auto unknown = ask("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: magic\r\n\r\n{}");
    BOOST_TEST(unknown.starts_with("HTTP/1.1 417 "), unknown);
}

BOOST_FIXTURE_TEST_CASE(head_equals_get_without_the_body, http_fixture)
{
    auto answer = ask("HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    BOOST_TEST(answer.starts_with("HTTP/1.1 200 "));
    BOOST_TEST(answer.find("Content-Length: 15\r\n") != std::string::npos);
    BOOST_TEST(answer.ends_with("\r\n\r\n"));
}

BOOST_FIXTURE_TEST_CASE(http_1_0_is_served_and_closed, http_fixture)
{
    BOOST_TEST(ask("GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
    support::raw_connection line(server.port());
    line.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(line.receive().headers["Connection"] == "keep-alive");
}

BOOST_FIXTURE_TEST_CASE(unknown_paths_and_methods_differ, http_fixture)
{
    support::http_client client(server.port());
    BOOST_TEST(client.get("/nowhere").status == 404u);
    BOOST_TEST(client.get("/nowhere").code() == "not_found");
    auto wrong = client.get("/api/v1/users/login");
    BOOST_TEST(wrong.status == 405u);
    BOOST_TEST(wrong.code() == "method_not_allowed");
    BOOST_TEST(wrong.header("Allow") == "POST, OPTIONS");
    BOOST_TEST(client.get("/api/v1/users/me%00").status == 404u);
    BOOST_TEST(client.get("/api/v1/users/me?x=%zz").status == 401u);
    BOOST_TEST(client.get("//api/v1/users/me").status == 404u);
}

BOOST_FIXTURE_TEST_CASE(a_valid_request_id_is_kept_and_an_invalid_one_replaced, http_fixture)
{
    support::http_client client(server.port());
    client.set("X-Request-Id", "trace-7_a.b");
    BOOST_TEST(client.get("/healthz").header("X-Request-Id") == "trace-7_a.b");
    client.set("X-Request-Id", "not sane\"");
    auto made = client.get("/healthz").header("X-Request-Id");
    BOOST_TEST(!made.empty());
    BOOST_TEST(made.find(' ') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(cors_allows_listed_origins)
{
    support::database db;
    support::running_server server(db.conninfo(), {{"LATCHKEY_CORS_ORIGINS", "https://app.example"}});
    support::http_client client(server.port());

    client.set("Origin", "https://app.example");
    BOOST_TEST(client.get("/healthz").header("Access-Control-Allow-Origin") == "https://app.example");
    client.set("Access-Control-Request-Method", "POST");
    auto preflight = client.send(support::http::verb::options, "/api/v1/users/login", "", "");
    BOOST_TEST(preflight.status == 204u);
    BOOST_TEST(preflight.header("Access-Control-Allow-Methods") == "POST, OPTIONS");
    BOOST_TEST(preflight.header("Access-Control-Allow-Headers").find("Authorization") != std::string::npos);

    client.set("Origin", "https://evil.example");
    auto other = client.send(support::http::verb::options, "/api/v1/users/login", "", "");
    BOOST_TEST(other.header("Access-Control-Allow-Origin") == "");
    BOOST_TEST(other.header("Access-Control-Allow-Methods") == "");
}

BOOST_FIXTURE_TEST_CASE(sigterm_completes_requests_in_flight, http_fixture)
{
    support::http_client idle(server.port());
    BOOST_TEST(idle.get("/healthz").status == 200u);
    support::raw_connection fresh(server.port()); // no request sent yet
    BOOST_TEST(server.stop() == 0);
    BOOST_TEST(server.log().find("\"stopped\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_draining_server_is_unready_and_finishes_requests)
{
    support::database db;
    // A slow password hash keeps a request in flight.
    support::running_server server(db.conninfo(), {{"LATCHKEY_PASSWORD_HASH", "m=131072,t=2,p=1"}});
    auto body = support::object({{"email", "a@example.com"}, {"password", "long enough"}});
    support::raw_connection slow(server.port()), other(server.port());
    slow.send("POST /api/v1/users/signup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
              "Content-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
    other.send("GET /readyz HTTP/1.1\r\n"); // the rest follows during the drain
    support::http_client observer(server.port());
    auto is_hashing = [&] {
        return observer.get("/metrics").body.find("latchkey_hash_workers_busy 1") != std::string::npos;
    };
    BOOST_REQUIRE(support::eventually(is_hashing));
    server.send(SIGTERM);
    BOOST_TEST(server.logs("\"draining\""));
    std::this_thread::sleep_for(std::chrono::milliseconds(200)); // until every core drains
    other.send("Host: a\r\n\r\n");
    auto ready = other.receive();
    BOOST_TEST(ready.status == 503u);
    BOOST_TEST(ready.headers["Connection"] == "close");
    BOOST_TEST(server.wait().value_or(-1) == 0);
    BOOST_TEST(slow.receive().status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_second_signal_exits_at_once, http_fixture)
{
    support::raw_connection busy(server.port());
    busy.send("POST /api/v1/users/login HTTP/1.1\r\nHost: a\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    server.send(SIGTERM);
    BOOST_TEST(server.logs("\"draining\""));
    BOOST_TEST(!server.wait(std::chrono::milliseconds(300)).has_value());
    server.send(SIGTERM);
    BOOST_TEST(server.wait(std::chrono::seconds(10)).has_value());
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_reported_in_one_line)
{
    support::database db;
    support::running_server first(db.conninfo());
    try {
        support::running_server second(db.conninfo(),
                                       {{"LATCHKEY_LISTEN", "127.0.0.1:" + std::to_string(first.port())}});
        BOOST_ERROR("a second server took the first one's port");
    } catch (const std::runtime_error& e) {
        BOOST_TEST(std::string(e.what()).find("Address already in use") != std::string::npos, e.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()
