// scripts/postgres starts a cluster while processes of its previous run are still ending.
#include "tests/support/child_process.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace {

/// A cluster with orphans that become children of this process, and zombies until it reaps them.
struct cluster_fixture {
    cluster_fixture()
    {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        BOOST_REQUIRE(run({"start", folder.path(), "--throwaway"}) == 0);
    }

    ~cluster_fixture()
    {
        run({"stop", folder.path(), "immediate"});
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    }

    static std::vector<std::string> command(const std::vector<std::string>& arguments)
    {
        std::vector<std::string> out{LATCHKEY_SOURCE_DIR "/scripts/postgres"};
        out.insert(out.end(), arguments.begin(), arguments.end());
        return out;
    }

    int run(const std::vector<std::string>& arguments)
    {
        support::child_process script(command(arguments), {}, STDOUT_FILENO);
        auto code = script.wait().value_or(-1);
        printed = script.output();
        return code;
    }

    pid_t postmaster()
    {
        BOOST_REQUIRE(run({"pid", folder.path()}) == 0);
        return std::stoi(printed);
    }

    std::string conninfo() const
    {
        return "host=" + folder.path() + "/s port=5432 user=latchkey dbname=latchkey";
    }

    /// A start that is found waiting.
    void start_beside_the_previous_run()
    {
        next.emplace(command({"start", folder.path(), "--reuse"}), support::environment{}, STDERR_FILENO);
        BOOST_TEST(support::eventually([&] {
                       return next->output().find("waiting for the previous run") != std::string::npos;
                   }),
                   next->output());
        BOOST_TEST(next->is_running());
    }

    void expect_started()
    {
        BOOST_TEST(next->wait().value_or(-1) == 0, next->output());
        BOOST_TEST(support::sql(conninfo(), "SELECT 'answers'") == "answers");
    }

    support::temporary_folder folder;
    std::string printed;
    std::optional<support::child_process> next;
};

} // namespace

BOOST_AUTO_TEST_SUITE(crashed_cluster)

BOOST_FIXTURE_TEST_CASE(a_start_waits_until_a_killed_postmaster_is_reaped, cluster_fixture)
{
    auto pid = postmaster();
    kill(pid, SIGKILL);
    start_beside_the_previous_run();
    BOOST_TEST(waitpid(pid, nullptr, 0) == pid);
    expect_started();
}

BOOST_FIXTURE_TEST_CASE(a_start_waits_for_orphaned_backends, cluster_fixture)
{
    auto pid = postmaster();
    support::sql_connection client(conninfo());
    auto backend = std::stoi(client.run("SELECT pg_backend_pid()"));
    kill(backend, SIGSTOP);
    kill(pid, SIGKILL);
    BOOST_TEST(waitpid(pid, nullptr, 0) == pid);
    start_beside_the_previous_run();
    kill(backend, SIGCONT);
    expect_started();
}

BOOST_FIXTURE_TEST_CASE(a_start_waits_for_a_shutdown, cluster_fixture)
{
    auto pid = postmaster();
    {
        support::sql_connection client(conninfo());
        kill(pid, SIGTERM); // waits for this client
        start_beside_the_previous_run();
    }
    BOOST_TEST(waitpid(pid, nullptr, 0) == pid);
    expect_started();
}

BOOST_FIXTURE_TEST_CASE(a_running_cluster_is_reused_only_on_request, cluster_fixture)
{
    auto pid = postmaster();
    BOOST_TEST(run({"start", folder.path()}) != 0);
    BOOST_TEST(run({"start", folder.path(), "--reuse"}) == 0);
    BOOST_TEST(printed.starts_with("postgresql:///latchkey?host="));
    BOOST_TEST(postmaster() == pid);
}

BOOST_AUTO_TEST_SUITE_END()
