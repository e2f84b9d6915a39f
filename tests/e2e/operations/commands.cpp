// The one-shot commands of the program: output and exit codes.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

using namespace e2e;

namespace {

/// The exit code, and the output on one stream.
std::string outcome(std::vector<std::string> arguments, int kept, const support::environment& settings = {})
{
    arguments.insert(arguments.begin(), support::program_path());
    support::child_process program(std::move(arguments), settings, kept);
    auto code = program.wait(std::chrono::seconds(20));
    return (code ? std::to_string(*code) : "runs") + " " + program.output();
}

} // namespace

BOOST_AUTO_TEST_SUITE(commands)

BOOST_FIXTURE_TEST_CASE(health_and_ready_check_the_server, account_fixture)
{
    auto port = std::to_string(server.port());
    BOOST_TEST(outcome({"health", "--listen", "127.0.0.1:" + port}, STDOUT_FILENO) == "0 alive\n");
    BOOST_TEST(outcome({"health"}, STDOUT_FILENO, {{"LATCHKEY_LISTEN", "0.0.0.0:" + port}}) == "0 alive\n");
    BOOST_TEST(outcome({"ready", "--listen", "127.0.0.1:" + port}, STDOUT_FILENO) == "0 ready\n");
    BOOST_TEST(outcome({"ready"}, STDOUT_FILENO,
                       {{"LATCHKEY_LISTEN", "127.0.0.1:1"}, {"LATCHKEY_ADMIN_LISTEN", "0.0.0.0:" + port}}) ==
               "0 ready\n");
    server.kill();
    for (std::string command : {"health", "ready"})
        BOOST_TEST(
            outcome({command, "--listen", "127.0.0.1:" + port}, STDERR_FILENO).starts_with("1 latchkey: "));
}

BOOST_AUTO_TEST_CASE(a_secret_on_the_command_line_is_refused)
{
    auto refused = outcome({"serve", "--master-key", "c2VjcmV0"}, STDERR_FILENO);
    BOOST_TEST(refused.starts_with("2 latchkey: --master-key: "));
    BOOST_TEST(refused.find("LATCHKEY_MASTER_KEY_FILE") != refused.npos);
    BOOST_TEST(refused.find("c2VjcmV0") == refused.npos);
}

BOOST_AUTO_TEST_CASE(help_names_every_command)
{
    auto help = outcome({"--help"}, STDOUT_FILENO);
    for (std::string command : {"serve", "migrate", "openapi", "health", "ready", "mcp", "keys rotate",
                                "users disable", "users restore"})
        BOOST_TEST(help.find("latchkey " + command) != help.npos, command);
}

BOOST_AUTO_TEST_SUITE_END()
