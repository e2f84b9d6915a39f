// `latchkey mcp`, the bridge from standard streams to /mcp; mcp.cpp runs the official clients over it.
#include "tests/e2e/agents/mcp_fixture.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

#include <sstream>

using namespace e2e;

namespace {

/// The output of `latchkey mcp` for some input lines, followed by its exit code.
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
    return program.output();
}

/// The exit code and error message with these settings.
std::string startup_error(const support::environment& settings)
{
    support::child_process program({support::program_path(), "mcp"}, settings, STDERR_FILENO);
    auto code = program.wait(std::chrono::seconds(10));
    return (code ? std::to_string(*code) : "runs") + " " + program.output();
}

const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";

} // namespace

BOOST_AUTO_TEST_SUITE(mcp_stdio)

BOOST_AUTO_TEST_CASE(invalid_settings_are_reported_at_start)
{
    BOOST_TEST(startup_error({}).starts_with("1 latchkey: TENEX_API_KEY is not set"));
    for (std::string base : {"ftp://x", "http://id.example.com", "http://localhost.example.com", "x"})
        BOOST_TEST(startup_error({{"TENEX_API_KEY", "k"}, {"TENEX_API_BASE", base}})
                       .starts_with("1 latchkey: TENEX_API_BASE"),
                   base);
    BOOST_TEST(startup_error({{"TENEX_API_KEY_FILE", "/nowhere"}})
                   .starts_with("1 latchkey: TENEX_API_KEY_FILE: /nowhere cannot be read"));
    BOOST_TEST(startup_error({{"TENEX_API_KEY", "k"}, {"TENEX_API_KEY_FILE", "/nowhere"}})
                   .starts_with("1 latchkey: TENEX_API_KEY_FILE: TENEX_API_KEY is set as well"));
    BOOST_TEST(startup_error({{"TENEX_API_KEY", "k\r\nX-Other: 1"}})
                   .starts_with("1 latchkey: TENEX_API_KEY has control characters"));
}

BOOST_AUTO_TEST_CASE(the_key_is_never_sent_in_clear_over_the_network)
{
    for (std::string base : {"http://id.example.com", "HTTP://id.example.com", "http://10.0.0.1:8080",
                             "http://localhost.example.com", "http://127.0.0.1@id.example.com",
                             "http://127.0.0.1.example.com", "http://0.0.0.0:8080", "http://[::]:8080"}) {
        auto error = startup_error({{"TENEX_API_KEY", "k"}, {"TENEX_API_BASE", base}});
        BOOST_TEST(error.starts_with("1 latchkey: TENEX_API_BASE must begin with https://"),
                   base << ": " << error);
    }
    for (std::string base : {"http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9:1",
                             "http://[::1]:1", "https://localhost:1"}) {
        auto written = answers_to(ping, base, "k");
        BOOST_TEST(written.find("is unreachable") != written.npos, base << ": " << written);
        BOOST_TEST(written.find("ended with 0") != written.npos, base << ": " << written);
    }
}

BOOST_FIXTURE_TEST_CASE(one_message_does_not_end_the_bridge, mcp_fixture)
{
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    auto key = mint(R"({"name":"k"})");
    const std::string injected =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who\nami","_meta":{)"
        R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
    const std::string large =
        R"({"jsonrpc":"2.0","id":2,"method":"ping","params":{"x":")" + std::string(70'000, 'x') + R"("}})";
    const std::string batch =
        R"([{"jsonrpc":"2.0","id":3,"method":"ping"},{"jsonrpc":"2.0","id":4,"method":"ping"}])";
    auto written = answers_to(injected + "\n" + large + "\r\n" + batch + "\n" + ping, url, key);
    std::istringstream lines(written);
    std::string line;
    for (std::string start :
         {R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,)",
          R"({"jsonrpc":"2.0","id":2,"error":{"code":-32603,)",
          R"([{"jsonrpc":"2.0","id":3,"result":{}},{"jsonrpc":"2.0","id":4,"result":{}}])",
          R"({"jsonrpc":"2.0","id":1,"result":{}})", "ended with 0"}) {
        std::getline(lines, line);
        BOOST_TEST(line.starts_with(start), line);
    }
}

BOOST_FIXTURE_TEST_CASE(each_line_gets_its_response_and_nothing_else_is_written, mcp_fixture)
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

BOOST_FIXTURE_TEST_CASE(an_http_error_is_reported_without_the_secret, mcp_fixture)
{
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    auto key = mint(R"({"name":"k"})");
    BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    auto written = answers_to(ping, url, key);
    BOOST_TEST(written.find(
                   "The server rejected the message (401): The credential is unknown or has been revoked.") !=
               written.npos);
    BOOST_TEST(written.find(key) == written.npos);
    auto unreachable = answers_to(ping, "http://127.0.0.1:1", key);
    BOOST_TEST(unreachable.find("is unreachable") != unreachable.npos);
    BOOST_TEST(unreachable.find(R"("id":1)") != unreachable.npos);
}

BOOST_AUTO_TEST_SUITE_END()
