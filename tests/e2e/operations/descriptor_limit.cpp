// More clients than file descriptors: nothing spins, and the database stays reachable.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/shell_server.hpp"

#include <unistd.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

struct limited_server : shell_server {
    limited_server()
    {
        start("ulimit -n 120;", "", {{"LATCHKEY_ADMIN_LISTEN", "127.0.0.1:" + admin_text()}});
    }

    std::string admin_text() const { return std::to_string(admin_port); }

    /// User and system time.
    double cpu_seconds() const
    {
        std::ifstream file("/proc/" + std::to_string(process->id()) + "/stat");
        std::string all{std::istreambuf_iterator<char>(file), {}};
        std::istringstream fields(all.substr(all.rfind(')') + 2));
        std::string skipped;
        for (int i = 0; i < 11; ++i)
            fields >> skipped;
        double user = 0, system = 0;
        fields >> user >> system;
        return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }

    std::uint16_t admin_port = support::reserve_port();
};

} // namespace

BOOST_AUTO_TEST_SUITE(descriptor_limit)

BOOST_FIXTURE_TEST_CASE(idle_clients_make_room_and_the_database_stays_reachable, limited_server)
{
    auto body = support::object({{"email", "ada@example.com"}, {"password", "long enough"}});
    auto token = client.post(base + "/signup", body).text("/access_token");
    BOOST_REQUIRE(!token.empty());

    // Twice as many connections as descriptors. They send nothing.
    std::deque<support::raw_connection> silent;
    for (int i = 0; i < 240; ++i)
        silent.emplace_back(port);
    auto is_paused = [&] {
        return process->output().find("\"accepting connections paused\"") != std::string::npos;
    };
    BOOST_TEST(support::eventually(is_paused));

    // Operators still see the state, and lost database connections are made again.
    support::http_client operators(admin_port);
    auto opened = [&] {
        auto text = operators.get("/metrics").body;
        constexpr std::string_view name = "\nlatchkey_database_connections_opened_total ";
        auto at = text.find(name);
        return at == text.npos ? -1 : std::stol(text.substr(at + name.size()));
    };
    auto before = opened();
    db.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
           "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    BOOST_TEST(support::eventually([&] { return opened() >= before + 4; }));
    BOOST_TEST(support::eventually([&] { return operators.get("/readyz").status == 200u; }));

    // Waiting costs no processor time.
    auto start = cpu_seconds();
    std::this_thread::sleep_for(2s);
    BOOST_TEST(cpu_seconds() - start < 1.0);

    // New clients are served, since idle connections are closed.
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(support::eventually([&] { return is_alive(); }));
    silent.clear();
    auto is_normal = [&] {
        support::http_client fresh(port);
        return fresh.get(base + "/auth", token).status == 200u;
    };
    BOOST_TEST(support::eventually(is_normal));
}

BOOST_AUTO_TEST_SUITE_END()
