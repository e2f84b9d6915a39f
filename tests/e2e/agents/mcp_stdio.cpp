// The bridge between an agent's standard streams and a server; what the clients do over it is tested with
// /mcp itself.
#include "tests/e2e/agents/agents.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

using namespace flows;

namespace {

/// What `latchkey mcp` answers to some lines, and its exit code at the end.
std::string answers_to(const std::string& lines, const std::string& base_url, const std::string& key)
{
    support::child_process program(
        {"/bin/sh", "-c", "printf '%s\\n' \"$LINES_IN\" | \"$PROGRAM\" mcp; echo \"ended with $?\""},
        {{"LINES_IN", lines},
         {"PROGRAM", support::program_path()},
         {"TENEX_API_KEY", key},
         {"TENEX_API_BASE", base_url}},
        STDOUT_FILENO);
    BOOST_REQUIRE(program.wait(std::chrono::seconds(20)).has_value());
    return program.written();
}

/// What it has to say of its settings.
std::string fault_of(const support::environment& settings)
{
    support::child_process program({support::program_path(), "mcp"}, settings, STDERR_FILENO);
    auto code = program.wait(std::chrono::seconds(10));
    return (code ? std::to_string(*code) : "runs") + " " + program.written();
}

const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";

} // namespace

BOOST_AUTO_TEST_SUITE(mcp_stdio)

BOOST_AUTO_TEST_CASE(settings_that_cannot_be_are_told_at_once)
{
    BOOST_TEST(fault_of({}).starts_with("1 latchkey: TENEX_API_KEY is not set"));
    BOOST_TEST(fault_of({{"TENEX_API_KEY", "k"}, {"TENEX_API_BASE", "ftp://x"}})
                   .starts_with("1 latchkey: TENEX_API_BASE"));
}

BOOST_FIXTURE_TEST_CASE(each_line_gets_its_answer_and_nothing_else_is_written, agents)
{
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    auto key = mint(R"({"name":"k"})");
    for (std::string end : {"", "/", "/api/v1", "/api/v1/users", "/api/v1/users/"}) {
        auto written = answers_to(ping + "\n\nnonsense\n" + R"({"jsonrpc":"2.0","method":"notifications/x"})",
                                  url + end, key);
        BOOST_TEST(
            written ==
            R"({"jsonrpc":"2.0","id":1,"result":{}})"
            "\n"
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error: Invalid JSON"}})"
            "\nended with 0\n");
    }
}

BOOST_FIXTURE_TEST_CASE(a_refusal_is_an_error_that_names_no_secret, agents)
{
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    auto key = mint(R"({"name":"k"})");
    BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    auto written = answers_to(ping, url, key);
    BOOST_TEST(written.find("The server refused (401): The credential is unknown or has been revoked.") !=
               written.npos);
    BOOST_TEST(written.find(key) == written.npos);
    auto nobody = answers_to(ping, "http://127.0.0.1:1", key);
    BOOST_TEST(nobody.find("cannot be reached") != nobody.npos);
    BOOST_TEST(nobody.find(R"("id":1)") != nobody.npos);
}

BOOST_AUTO_TEST_SUITE_END()
