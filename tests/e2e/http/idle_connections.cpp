// Idle keep-alive connections give back their memory, and are served as before when a request arrives.
#include "tests/e2e/support/tls_fixture.hpp"
#include "tests/support/database.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <deque>
#include <string>

BOOST_AUTO_TEST_SUITE(idle_connections)

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

const std::string health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

struct idle_fixture {
    support::database db;
    support::running_server server{db.conninfo(), {{"LATCHKEY_ADMIN_LISTEN", "127.0.0.1:0"}}};
    support::http_client admin{server.admin_port()};
    std::deque<support::raw_connection> lines;

    double metric(const std::string& name)
    {
        admin.skip_recording();
        auto text = admin.get("/metrics").body;
        auto at = text.find("\n" + name + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }

    /// The connection of `admin` is never idle for long enough.
    bool are_parked(std::size_t count)
    {
        return support::eventually(
            [&] { return metric("latchkey_connections_parked") == static_cast<double>(count); });
    }

    /// Open connections that send one request and then wait.
    void open_parked(int count)
    {
        for (int i = 0; i < count; ++i) {
            lines.emplace_back(server.port()).send(health);
            BOOST_TEST_REQUIRE(lines.back().receive().status == 200u);
        }
        BOOST_TEST_REQUIRE(are_parked(lines.size()));
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(many_cost_little_memory, idle_fixture)
{
    constexpr std::size_t count = 1000;
    support::http_client(server.port()).get("/healthz");
    auto before = server.resident_bytes();
    asio::io_context io;
    std::deque<tcp::socket> sockets;
    auto ask_all = [&] {
        for (auto& each : sockets)
            asio::write(each, asio::buffer(health));
        for (auto& each : sockets) {
            std::array<char, 4096> space;
            auto size = each.read_some(asio::buffer(space));
            BOOST_TEST_REQUIRE(std::string_view(space.data(), size).starts_with("HTTP/1.1 200"));
        }
    };
    for (std::size_t i = 0; i < count; ++i)
        sockets.emplace_back(io).connect({asio::ip::address_v4::loopback(), server.port()});
    for (int round = 0; round < 2; ++round) { // all wake at once
        ask_all();
        BOOST_TEST(are_parked(count));
        // Some 2 kB each; with the memory for a request it would be 8 kB more.
        constexpr std::size_t most = 5000;
        auto is_small = [&] { return server.resident_bytes() < before + count * most; };
        if (server.allocations()) // else a sanitizer keeps what is freed
            BOOST_TEST(support::eventually(is_small));
    }
}

BOOST_FIXTURE_TEST_CASE(requests_arrive_in_pieces_pipelined_and_large, idle_fixture)
{
    open_parked(4);
    auto& pieces = lines[0];
    pieces.send(health.substr(0, 10));
    BOOST_TEST(are_parked(3)); // the first piece has been read
    pieces.send(health.substr(10));
    BOOST_TEST(pieces.receive().status == 200u);

    lines[1].send(health + "GET /missing HTTP/1.1\r\nHost: a\r\n\r\n" + health);
    BOOST_TEST(lines[1].receive().status == 200u);
    BOOST_TEST(lines[1].receive().status == 404u);
    BOOST_TEST(lines[1].receive().status == 200u);

    lines[2].send("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Large: " + std::string(30'000, 'x') + "\r\n\r\n");
    BOOST_TEST(lines[2].receive().status == 200u);

    lines[3].send("POST /api/v1/users/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    BOOST_TEST(lines[3].receive().status == 100u);
    lines[3].send("{}");
    BOOST_TEST(lines[3].receive().status == 422u);

    // And again, on the same connections.
    BOOST_TEST(are_parked(4));
    for (auto& each : lines) {
        each.send(health);
        BOOST_TEST(each.receive().status == 200u);
    }
}

BOOST_FIXTURE_TEST_CASE(clients_leave_and_the_server_drains, idle_fixture)
{
    open_parked(20);
    for (int i = 0; i < 10; ++i)
        lines.pop_back();
    BOOST_TEST(are_parked(10));
    BOOST_TEST(support::eventually([&] { return metric("latchkey_connections") == 11; }));

    lines[0].send("not HTTP\r\n\r\n");
    BOOST_TEST(lines[0].receive().status == 400u);
    lines[1].end_sending();
    BOOST_TEST(lines[1].receive_all().value_or("open").empty());

    admin.disconnect();
    BOOST_TEST(server.stop() == 0);
    for (std::size_t i = 2; i < lines.size(); ++i)
        BOOST_TEST(lines[i].receive_all().value_or("open").empty());
}

BOOST_FIXTURE_TEST_CASE(with_tls_too, e2e::tls_fixture)
{
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        support::tls_client client(server.port(), {.greatest_version = version});
        BOOST_TEST(client.get("/healthz").status == 200u);
        for (int i = 0; i < 2; ++i) {
            BOOST_TEST(support::eventually([&] { return metric("latchkey_connections_parked") >= 1; }));
            for (char c : health.substr(0, 10)) // one byte a record
                client.send(std::string(1, c));
            BOOST_TEST(support::eventually([&] { return metric("latchkey_connections_parked") == 0; }));
            BOOST_TEST(client.exchange(health.substr(10)).status == 200u);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
