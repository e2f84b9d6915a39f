// The listener for operators: which routes it serves, and how it drains.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/all_cores.hpp"

#include <csignal>

using namespace e2e;

namespace {

const support::environment with_admin{{"LATCHKEY_ADMIN_LISTEN", "127.0.0.1:0"}};

std::string status_on_all_cores(const support::running_server& server, const std::string& path)
{
    return on_all_cores(server, [=](support::http_client& client) {
        client.skip_recording(); // the document is of a server with one listener
        return client.get(path);
    });
}

/// The status at once, or 0 if no connection is accepted.
unsigned status_of(std::uint16_t port, const std::string& path)
{
    support::http_client client(port);
    client.skip_recording();
    try {
        return client.get(path).status;
    } catch (const boost::system::system_error&) {
        return 0;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(admin_listener)

BOOST_AUTO_TEST_CASE(metrics_and_readiness_move_to_the_listener)
{
    account_fixture fixture(with_admin);
    support::http_client admin(fixture.server.admin_port());
    BOOST_TEST(fixture.server.admin_port() != fixture.server.port());
    BOOST_TEST(admin.get("/readyz").body == R"({"status":"ready"})");
    BOOST_TEST(admin.get("/healthz").status == 200u);
    for (std::string path : {"/metrics", "/readyz"})
        BOOST_TEST(status_on_all_cores(fixture.server, path) == "404 not_found", path);
    BOOST_TEST(status_on_all_cores(fixture.server, "/healthz") == "200");

    // The requests of both listeners are counted, under the routes they are for.
    auto metrics = admin.get("/metrics").body;
    for (std::string line :
         {R"(latchkey_requests_total{route="/readyz",method="GET",status="200"} 1)",
          R"(latchkey_requests_total{route="/api/v1/users/signup",method="POST",status="201"} 1)",
          R"(latchkey_requests_total{route="unmatched",method="any",status="404"} 32)"})
        BOOST_TEST(metrics.find("\n" + line + "\n") != metrics.npos, line);
}

BOOST_AUTO_TEST_CASE(the_listener_serves_nothing_else)
{
    account_fixture fixture(with_admin);
    support::http_client admin(fixture.server.admin_port());
    admin.skip_recording();
    for (std::string path : {base + "/me", base + "/auth", std::string("/openapi.json"), std::string("/docs"),
                             std::string("/verify"), std::string("/.well-known/jwks.json")})
        BOOST_TEST(admin.get(path, fixture.token).status == 404u, path);
    BOOST_TEST(admin.post("/mcp", "{}", fixture.token).status == 404u);
    BOOST_TEST(admin.post("/metrics", "{}").status == 405u);
}

BOOST_AUTO_TEST_CASE(without_the_setting_all_routes_are_public)
{
    account_fixture fixture;
    for (std::string path : {"/healthz", "/readyz", "/metrics"})
        BOOST_TEST(status_on_all_cores(fixture.server, path) == "200", path);
}

BOOST_AUTO_TEST_CASE(a_draining_server_accepts_until_the_delay_has_passed)
{
    auto settings = with_admin;
    settings.emplace_back("LATCHKEY_DRAIN_DELAY", "2");
    account_fixture fixture(settings);
    auto& server = fixture.server;
    auto port = server.port(), admin = server.admin_port();
    support::http_client kept(port);
    kept.get("/healthz");
    auto begin = std::chrono::steady_clock::now();
    server.send(SIGTERM);
    BOOST_TEST(support::eventually([&] { return status_of(admin, "/readyz") == 503u; }));
    for (int i = 0; i < 16; ++i) {
        support::http_client client(port);
        auto answer = client.get(base + "/me", fixture.token);
        BOOST_TEST(answer.status == 200u);
        BOOST_TEST(answer.header("Connection") == "close");
    }
    BOOST_TEST(kept.get("/healthz").header("Connection") == "close"); // idle connections are still served
    BOOST_TEST(status_of(admin, "/metrics") == 200u);
    BOOST_TEST(server.wait().value_or(-1) == 0);
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= std::chrono::seconds(2)));
    BOOST_TEST(status_of(port, "/healthz") == 0u);
}

BOOST_AUTO_TEST_CASE(an_address_in_use_is_reported)
{
    account_fixture fixture;
    auto taken = "127.0.0.1:" + std::to_string(fixture.server.port());
    try {
        support::running_server second(fixture.db.conninfo(), {{"LATCHKEY_ADMIN_LISTEN", taken}});
        BOOST_ERROR("a second server took the first one's port");
    } catch (const std::runtime_error& e) {
        BOOST_TEST(std::string(e.what()).find("cannot listen at " + taken + ": Address already in use") !=
                       std::string::npos,
                   e.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()
