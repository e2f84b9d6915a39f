// Request bodies: the guard decides before they are read, slow ones are cut, and their memory has a budget.
#include "tests/e2e/support/members.hpp"
#include "tests/schemas/engine/image_builders.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/transaction.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <thread>

using namespace e2e;
using namespace std::chrono_literals;
using namespace std::string_literals;
namespace images = schemas::test;

namespace {

const std::string avatar = base + "/me/avatar";

/// The header of a request with a body of this size.
std::string head_of(const std::string& method, const std::string& path, std::size_t size,
                    const std::string& token = {}, const std::string& more = {})
{
    auto out = method + " " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
               "Content-Length: " + std::to_string(size) + "\r\n" + more;
    if (!token.empty())
        out += "Authorization: Bearer " + token + "\r\n";
    return out + "\r\n";
}

/// A number in the metrics.
std::int64_t metric(account_fixture& fixture, const std::string& name)
{
    auto text = fixture.client.get("/metrics").body;
    auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + name.size() + 2));
}

support::response upload(account_fixture& fixture)
{
    support::http::request<support::http::string_body> message(support::http::verb::put, avatar, 11);
    message.set(support::http::field::authorization, "Bearer " + fixture.token);
    message.set(support::http::field::content_type, "image/png");
    message.body() = images::png_alpha;
    return fixture.client.send(std::move(message));
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_bodies)

BOOST_FIXTURE_TEST_CASE(a_rejected_request_is_answered_before_its_body, account_fixture)
{
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    const std::vector<std::tuple<std::string, std::string, std::string, unsigned>> rejected{
        {"PUT", avatar, "", 401},         {"PUT", avatar, "made-up", 401},
        {"PUT", avatar, reader, 403},     {"PATCH", base + "/me", "", 401},
        {"POST", "/nowhere", token, 404}, {"POST", base + "/me", token, 405},
        {"POST", "/mcp", "", 401},        {"POST", base + "/introspect", "", 401},
    };
    for (auto& [method, path, credential, status] : rejected)
        for (auto expect : {"", "Expect: 100-continue\r\n"}) {
            support::raw_connection line(server.port());
            line.send(head_of(method, path, 1000, credential, expect));
            auto refused = line.receive(10s);
            BOOST_TEST(refused.status == status, method << " " << path);
            BOOST_TEST(refused.header("Connection") == "close");
            BOOST_TEST(line.send(std::string(1000, 'x'))); // late, and discarded
            BOOST_TEST(line.receive_all(10s).value_or("not closed") == "");
        }
}

BOOST_FIXTURE_TEST_CASE(a_large_body_does_not_hide_its_rejection, account_fixture)
{
    support::raw_connection line(server.port());
    line.send(head_of("PUT", avatar, 2'000'000) + std::string(2'000'000, 'x'));
    BOOST_TEST(line.receive(10s).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(an_admitted_request_is_asked_for_its_body, account_fixture)
{
    support::raw_connection line(server.port());
    line.send(head_of("PATCH", base + "/me", 14, token, "Expect: 100-continue\r\n"));
    BOOST_TEST(line.receive().status == 100u);
    line.send(R"({"name":"Ada"})");
    BOOST_TEST(line.receive().status == 200u);
    // The connection goes on.
    line.send(head_of("PATCH", base + "/me", 14, token) + R"({"name")");
    line.send(R"(:"Ada"})");
    BOOST_TEST(line.receive().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_header_is_remembered_while_its_body_arrives, account_fixture)
{
    std::string body = R"({"name": ")" + std::string(90, 'n') + "\"}";
    for (bool follows_another : {false, true}) {
        support::raw_connection line(server.port());
        std::string before = follows_another ? "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" : "";
        line.send(before + head_of("PATCH", base + "/me", body.size(), token,
                                   "X-Request-Id: the-request-of-this-test\r\n"));
        if (follows_another)
            BOOST_TEST(line.receive().status == 200u);
        for (char byte : body)
            line.send({&byte, 1});
        auto answer = line.receive();
        BOOST_TEST(answer.status == 200u);
        BOOST_TEST(answer.header("X-Request-Id") == "the-request-of-this-test");
    }
}

BOOST_FIXTURE_TEST_CASE(a_request_is_counted_once, account_fixture)
{
    account_fixture limited({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    unsigned passed = 0;
    for (int i = 0; i < 15; ++i) {
        support::raw_connection line(limited.server.port());
        line.send(head_of("PATCH", base + "/me", 14, limited.token));
        line.send(R"({"name":"Ada"})");
        passed += line.receive().status == 200u;
    }
    BOOST_TEST(passed == 15u);
    for (int i = 0; i < 10; ++i)
        passed += limited.client.get(base + "/me", limited.token).status == 200u;
    BOOST_TEST(passed == 20u);
}

BOOST_FIXTURE_TEST_CASE(a_credential_revoked_while_the_body_arrives_is_rejected, account_fixture)
{
    for (auto& [method, path] : {std::pair("POST", base + "/introspect"),
                                 std::pair("POST", std::string("/mcp")), std::pair("PUT", avatar)}) {
        auto session = log_in(client, "ada@example.com").token;
        support::raw_connection line(server.port());
        line.send(head_of(method, path, 40, session) + "{");
        std::this_thread::sleep_for(100ms); // until the guard has admitted it
        BOOST_TEST(client.post(base + "/logout", "", session).status == 204u);
        line.send(std::string(39, ' '));
        BOOST_TEST(line.receive().status == 401u, path);
    }
}

BOOST_FIXTURE_TEST_CASE(slow_uploads_leave_room_for_others, account_fixture)
{
    std::deque<support::raw_connection> slow;
    for (int i = 0; i < 64; ++i) {
        slow.emplace_back(server.port()).send(head_of("PUT", avatar, 2'000'000, i % 2 ? token : "") + "x");
    }
    auto are_read = [&] { return metric(*this, "latchkey_request_body_bytes") >= 32 * 8192; };
    BOOST_TEST(support::eventually(are_read));
    for (int i = 0; i < 8; ++i) {
        client.disconnect(); // on any core
        BOOST_TEST(upload(*this).status == 200u);
    }
}

BOOST_FIXTURE_TEST_CASE(a_slow_body_is_cut, account_fixture)
{
    support::raw_connection slow(server.port()), steady(server.port());
    auto start = std::chrono::steady_clock::now();
    slow.send(head_of("POST", base + "/login", 1000) + "{");
    steady.send(head_of("POST", base + "/login", 60'000));
    std::optional<support::response> cut;
    for (int sent = 0; sent < 60'000; sent += 1000) { // about 8 kB a second
        steady.send(std::string(1000, ' '));
        std::this_thread::sleep_for(125ms);
    }
    BOOST_TEST(slow.receive(100ms).status == 408u);
    BOOST_TEST((std::chrono::steady_clock::now() - start < 30s));
    BOOST_TEST(steady.receive().status == 400u); // complete, and no JSON
}

BOOST_AUTO_TEST_CASE(bodies_have_a_budget_of_memory)
{
    account_fixture fixture({{"LATCHKEY_BODY_MIB", "4"}, {"LATCHKEY_THREADS", "1"}});
    std::deque<support::raw_connection> lines;
    const std::string most(1'900'000, 'x');
    for (int i = 0; i < 8; ++i)
        lines.emplace_back(fixture.server.port())
            .send(head_of("PUT", avatar, 2'000'000, fixture.token) + most);
    auto evicted = [&] { return metric(fixture, "latchkey_request_bodies_evicted_total"); };
    BOOST_TEST(support::eventually([&] { return evicted() >= 6; }));
    BOOST_TEST(metric(fixture, "latchkey_request_body_bytes") <= 4 << 20);
    unsigned overloaded = 0;
    for (auto& line : lines)
        try {
            auto answer = line.receive(100ms);
            overloaded += answer.status == 503u && answer.code() == "overloaded";
        } catch (const std::exception&) { // still being read
        }
    BOOST_TEST(overloaded >= 6u);
    BOOST_TEST(upload(fixture).status == 200u);
}

/// Uploads that have made no progress for some seconds make room for a larger one that arrives.
BOOST_AUTO_TEST_CASE(old_and_large_bodies_are_evicted_first)
{
    account_fixture fixture({{"LATCHKEY_BODY_MIB", "4"}, {"LATCHKEY_THREADS", "1"}});
    std::deque<support::raw_connection> slow;
    for (int i = 0; i < 3; ++i)
        slow.emplace_back(fixture.server.port())
            .send(head_of("PUT", avatar, 2'000'000, fixture.token) + std::string(1'000'000, 'x'));
    auto memory = [&] { return metric(fixture, "latchkey_request_body_bytes"); };
    BOOST_TEST(support::eventually([&] { return memory() >= 3'000'000; }));
    std::this_thread::sleep_for(5s); // their age is what counts
    support::raw_connection fresh(fixture.server.port());
    fresh.send(head_of("PUT", avatar, 1'900'000, fixture.token));
    for (int i = 0; i < 19; ++i)
        fresh.send(std::string(100'000, 'x'));
    BOOST_TEST(fresh.receive().status == 415u); // complete, and no image
    auto evicted = [&] { return metric(fixture, "latchkey_request_bodies_evicted_total"); };
    BOOST_TEST(support::eventually([&] { return evicted() >= 1; }));
    BOOST_TEST(evicted() == 1);
}

/// Bodies in the hands of a handler cannot be evicted. The small ones of others are not evicted in their
/// place.
BOOST_AUTO_TEST_CASE(small_bodies_have_a_reserve)
{
    account_fixture fixture({{"LATCHKEY_BODY_MIB", "4"}, {"LATCHKEY_THREADS", "1"}});
    support::transaction lock(fixture.db.conninfo());
    lock.sql("LOCK TABLE avatars IN SHARE MODE"); // no writes
    std::deque<support::raw_connection> handled;
    auto end = images::png_alpha.size() - 12;
    auto large = images::png_alpha.substr(0, end) + images::png_chunk("tEXt", std::string(1'900'000, 'x')) +
                 images::png_alpha.substr(end);
    for (int i = 0; i < 2; ++i) {
        handled.emplace_back(fixture.server.port())
            .send(head_of("PUT", avatar, large.size(), fixture.token) + large.substr(0, 1000));
        handled.back().send(large.substr(1000));
    }
    auto memory = [&] { return metric(fixture, "latchkey_request_body_bytes"); };
    BOOST_TEST(support::eventually([&] { return memory() >= 3'800'000; }));
    std::deque<support::raw_connection> logins;
    auto body = credentials("ada@example.com");
    for (int i = 0; i < 60; ++i) {
        logins.emplace_back(fixture.server.port()).send(head_of("POST", base + "/login", body.size()));
        logins.back().send(body.substr(0, 10));
    }
    support::raw_connection more(fixture.server.port());
    more.send(head_of("PUT", avatar, 2'000'000, fixture.token) + std::string(1'900'000, 'x'));
    BOOST_TEST(more.receive().status == 503u); // the one that asks for more
    for (auto& line : logins)
        line.send(body.substr(10));
    lock.commit();
    for (auto& line : logins)
        BOOST_TEST(line.receive().status == 200u);
    for (auto& line : handled)
        BOOST_TEST(line.receive().status == 200u);
}

BOOST_AUTO_TEST_CASE(a_network_has_a_cap_of_connections)
{
    support::database db;
    support::running_server server(db.conninfo(), {{"LATCHKEY_MAX_CONNECTIONS_PER_NETWORK", "4"}});
    std::deque<support::raw_connection> idle;
    for (int i = 0; i < 4; ++i) {
        idle.emplace_back(server.port()).send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        BOOST_TEST(idle.back().receive().status == 200u);
    }
    support::raw_connection one_more(server.port());
    BOOST_TEST(one_more.receive().status == 503u);
    support::http_client elsewhere(server.port(), "127.0.1.1");
    BOOST_TEST(elsewhere.get("/healthz").status == 200u);
    idle.pop_back();
    BOOST_TEST(support::eventually([&] {
        support::raw_connection next(server.port());
        next.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        return next.receive().status == 200u;
    }));
}

BOOST_AUTO_TEST_CASE(at_the_total_cap_an_idle_connection_gives_way)
{
    support::database db;
    support::running_server server(db.conninfo(),
                                   {{"LATCHKEY_MAX_CONNECTIONS", "8"}, {"LATCHKEY_THREADS", "1"}});
    std::deque<support::raw_connection> lines;
    for (int i = 0; i < 20; ++i) {
        lines.emplace_back(server.port()).send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        BOOST_TEST(lines.back().receive().status == 200u, i);
    }
    BOOST_TEST(lines.front().receive_all(10s).value_or("open") == "");
    lines.back().send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(lines.back().receive().status == 200u);
}

namespace {

/// A server with room for eight connections, four of each network.
struct small_server {
    explicit small_server(support::environment more = {}) : server(db.conninfo(), settings(std::move(more)))
    {}

    static support::environment settings(support::environment more)
    {
        for (auto& one : support::environment{{"LATCHKEY_MAX_CONNECTIONS", "8"},
                                              {"LATCHKEY_THREADS", "1"},
                                              {"LATCHKEY_ADMIN_LISTEN", "127.0.0.1:0"}})
            more.push_back(one);
        return more;
    }

    bool serves(std::uint16_t port, const std::string& from = "127.0.0.1")
    {
        try {
            support::http_client client(port, from);
            return client.get("/healthz").status == 200u;
        } catch (const std::exception&) { // reset
            return false;
        }
    }

    support::database db;
    support::running_server server;
};

} // namespace

/// Requests that have begun do not give way at once: the rest may be in transit.
BOOST_AUTO_TEST_CASE(at_the_total_cap_a_new_connection_is_refused)
{
    small_server fixture;
    for (int round = 0; round < 3; ++round) {
        std::deque<support::raw_connection> lines;
        for (int i = 0; i < 8; ++i)
            lines.emplace_back(fixture.server.port()).send("GET /healthz HTTP/1.1\r\n"); // the rest follows
        support::raw_connection one_more(fixture.server.port());
        for (auto& line : lines)
            line.send("Host: a\r\n\r\n");
        unsigned answered = 0;
        for (auto& line : lines)
            answered += line.receive().status == 200u;
        BOOST_TEST(answered >= 7u); // all, unless the machine stood still for a second
    }
}

/// Clients that send a byte and no more: neither operators nor other clients are shut out.
BOOST_AUTO_TEST_CASE(at_the_total_cap_unfinished_requests_give_way)
{
    for (auto& begun : {std::string("G"), head_of("POST", base + "/login", 1000) + "{"}) {
        small_server fixture;
        std::deque<support::raw_connection> lines;
        for (int i = 0; i < 8; ++i)
            lines.emplace_back(fixture.server.port()).send(begun);
        auto start = std::chrono::steady_clock::now();
        BOOST_TEST(fixture.serves(fixture.server.admin_port()));
        for (int i = 0; i < 8; ++i)
            BOOST_TEST(support::eventually([&] { return fixture.serves(fixture.server.port()); }));
        BOOST_TEST((std::chrono::steady_clock::now() - start < 10s)); // before their own limit
        auto first = lines.front().receive_all(1s).value_or("open");
        BOOST_TEST((first.empty() || first.starts_with("HTTP/1.1 503")), first);
    }
}

/// The network that holds most gives way first.
BOOST_AUTO_TEST_CASE(at_the_total_cap_the_largest_network_gives_way)
{
    small_server fixture({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1"}, {"LATCHKEY_PROXY_PROTOCOL", "true"}});
    auto header = [](char network) {
        return "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\x00"s + network +
               "\x07\xc0\x00\x02\x01\x10\x20\x01\xbb"s;
    };
    std::deque<support::raw_connection> lines;
    lines.emplace_back(fixture.server.port()).send(header(1) + "GET /healthz HTTP/1.1\r\n");
    for (int i = 0; i < 7; ++i)
        lines.emplace_back(fixture.server.port()).send(header(2) + "G");
    std::deque<support::raw_connection> fresh;
    for (char network = 10; network < 15; ++network)
        BOOST_TEST(support::eventually([&] {
            try {
                fresh.emplace_back(fixture.server.port())
                    .send(header(network) + "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                return fresh.back().receive().status == 200u;
            } catch (const std::exception&) {
                return false;
            }
        }));
    lines.front().send("Host: a\r\n\r\n");
    BOOST_TEST(lines.front().receive().status == 200u);
}

/// A client over its own cap does not close the connections of others.
BOOST_AUTO_TEST_CASE(a_full_network_closes_no_connections_of_others)
{
    small_server fixture({{"LATCHKEY_MAX_CONNECTIONS_PER_NETWORK", "4"}});
    std::deque<support::http_client> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(fixture.server.port(), i < 4 ? "127.0.1.1" : "127.0.2.1");
        BOOST_TEST(clients.back().get("/healthz").status == 200u);
    }
    auto refused = [&] {
        auto text = support::http_client(fixture.server.admin_port()).get("/metrics").body;
        constexpr std::string_view name = "\nlatchkey_connections_refused_total ";
        auto at = text.find(name);
        return at == text.npos ? -1 : std::stol(text.substr(at + name.size()));
    };
    for (int i = 0; i < 8; ++i)
        BOOST_TEST(!fixture.serves(fixture.server.port(), "127.0.1.1"));
    BOOST_TEST(support::eventually([&] { return refused() == 8; }));
    for (auto& client : clients) // on the same connections
        BOOST_TEST(client.get("/healthz").status == 200u);
    BOOST_TEST(fixture.serves(fixture.server.port(), "127.0.3.1"));
}

BOOST_AUTO_TEST_SUITE_END()
