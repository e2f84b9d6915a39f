// The PROXY protocol: clients behind a TCP proxy, and who may name them.
#include "tests/e2e/support/members.hpp"

#include <chrono>
#include <string>

using namespace e2e;
using namespace std::string_literals;
using namespace std::chrono_literals;

namespace {

/// A server behind a proxy at 127.0.0.1, with a limit of 20 requests an address.
struct proxied {
    explicit proxied(support::environment more = {}) : server(db.conninfo(), settings(std::move(more))) {}

    static support::environment settings(support::environment more)
    {
        more.emplace_back("LATCHKEY_PROXY_PROTOCOL", "true");
        more.emplace_back("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1");
        more.emplace_back("LATCHKEY_RATE_LIMIT_PER_MINUTE", "20");
        return more;
    }

    support::database db;
    support::running_server server;
    const std::string request = "GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\n\r\n";
};

/// A header for a client at 203.0.113.x.
std::string header_of(char last, char command = '\x21')
{
    return "\r\n\r\n\0\r\nQUIT\n"s + command + "\x11\0\x0c"s + "\xcb\x00\x71"s + last +
           "\xc0\x00\x02\x01\x10\x20\x01\xbb"s;
}

/// Everything the server sends until it closes the connection.
std::string closed_after(support::raw_connection& line, std::chrono::milliseconds limit = 10s)
{
    return line.receive_all(limit).value_or("still open");
}

} // namespace

BOOST_AUTO_TEST_SUITE(proxied_connections)

BOOST_FIXTURE_TEST_CASE(a_client_is_limited_by_its_own_address, proxied)
{
    for (char client = 1; client <= 3; ++client) {
        unsigned refused = 0;
        for (int i = 0; i < 5; ++i) {
            support::raw_connection line(server.port());
            line.send(header_of(client));
            for (int n = 0; n < 5; ++n) {
                line.send(request);
                refused += line.receive().status == 401u;
            }
        }
        BOOST_TEST(refused == 20u);
    }
    // The log has ten refusals a second, so those of the first client.
    BOOST_TEST(server.logs("\"client\":\"203.0.113.1\""));
}

BOOST_FIXTURE_TEST_CASE(the_header_may_arrive_in_pieces_or_with_requests, proxied)
{
    auto bytes = header_of('\x09') + request;
    support::raw_connection slowly(server.port()), at_once(server.port());
    for (char c : bytes)
        slowly.send(std::string(1, c));
    BOOST_TEST(slowly.receive().status == 401u);
    at_once.send(bytes + request);
    BOOST_TEST(at_once.receive().status == 401u);
    BOOST_TEST(at_once.receive().status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_proxy_may_speak_for_itself, proxied)
{
    support::raw_connection line(server.port());
    line.send(header_of('\x09', '\x20') + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(line.receive().status == 200u);
    BOOST_TEST(server.logs("\"listening\""));
}

BOOST_FIXTURE_TEST_CASE(without_a_valid_header_a_proxy_is_not_answered, proxied)
{
    for (auto& bad : {request, "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n" + request,
                      header_of('\x09', '\x22') + request, std::string("\r\n\r\nx")}) {
        support::raw_connection line(server.port());
        line.send(bad);
        BOOST_TEST(closed_after(line) == "", bad);
    }
    BOOST_TEST(server.logs("no valid PROXY header"));
}

BOOST_FIXTURE_TEST_CASE(an_incomplete_header_is_cut, proxied)
{
    support::raw_connection line(server.port());
    line.send(header_of('\x09').substr(0, 20));
    BOOST_TEST(closed_after(line, 30s) == "");
}

/// Others cannot name a client: a header of theirs is no HTTP.
BOOST_AUTO_TEST_CASE(only_trusted_proxies_are_read)
{
    support::database db;
    support::running_server server(
        db.conninfo(), {{"LATCHKEY_TRUSTED_PROXIES", "10.0.0.1"}, {"LATCHKEY_PROXY_PROTOCOL", "true"}});
    support::raw_connection line(server.port());
    line.send(header_of('\x09') + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(line.receive().status == 400u);
    support::http_client direct(server.port());
    BOOST_TEST(direct.get("/healthz").status == 200u);
}

BOOST_AUTO_TEST_CASE(a_network_behind_a_proxy_has_its_cap)
{
    proxied fixture({{"LATCHKEY_MAX_CONNECTIONS_PER_NETWORK", "2"}});
    support::raw_connection one(fixture.server.port()), two(fixture.server.port()),
        three(fixture.server.port());
    one.send(header_of('\x01') + fixture.request);
    BOOST_TEST(one.receive().status == 401u);
    two.send(header_of('\x02') + fixture.request);
    BOOST_TEST(two.receive().status == 401u);
    three.send(header_of('\x03') + fixture.request);
    BOOST_TEST(three.receive().status == 503u);
}

BOOST_AUTO_TEST_CASE(without_the_setting_a_header_is_no_request)
{
    support::database db;
    support::running_server server(db.conninfo(), {{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1"}});
    support::raw_connection line(server.port());
    line.send(header_of('\x09') + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(line.receive().status == 400u);
}

BOOST_AUTO_TEST_SUITE_END()
