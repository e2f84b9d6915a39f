// The MCP bridge against servers that fail in every way, and lines that no client should send.
#include "server/cli/mcp_bridge.hpp"

#include "tests/support/tcp_server.hpp"

#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace json = boost::json;
using namespace std::string_literals;

namespace {

const std::string meta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                         R"("io.modelcontextprotocol/clientCapabilities":{}})";

/// A request that repeats these values in headers.
std::string request(const std::string& id, const std::string& method, const std::string& name,
                    const std::string& member = "name")
{
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{")" + member +
           R"(":")" + name + "\"," + meta + "}}";
}

std::string ping(const std::string& id)
{
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"ping"})";
}

/// The response of a correct server to a body.
std::string correct_response(const std::string& body)
{
    auto success = [](const json::value& to) -> json::value {
        return {{"jsonrpc", "2.0"}, {"id", to.at("id")}, {"result", json::object{}}};
    };
    auto is_request = [](const json::value& in) {
        return in.is_object() && in.as_object().contains("id") && in.as_object().contains("method");
    };
    auto in = json::parse(body);
    if (auto batch = in.if_array()) {
        json::array out;
        for (auto& each : *batch)
            if (is_request(each))
                out.push_back(success(each));
        return support::make_response("200 OK", json::serialize(out));
    }
    return is_request(in) ? support::make_response("200 OK", json::serialize(success(in)))
                          : support::make_response("202 Accepted", "");
}

/// A server that answers every request with the same bytes; empty: it closes the connection.
support::tcp_server::behaviour always(std::string response)
{
    return [response](support::tcp_server::socket& peer) {
        for (;;) {
            support::read_request(peer);
            if (response.empty())
                return;
            boost::asio::write(peer, boost::asio::buffer(response));
        }
    };
}

void answer_correctly(support::tcp_server::socket& peer)
{
    for (;;)
        boost::asio::write(peer, boost::asio::buffer(correct_response(support::read_request(peer).body())));
}

std::vector<json::value> run(std::uint16_t port, const std::string& input)
{
    std::istringstream in(input);
    std::ostringstream out;
    server::run_mcp_bridge({"key", "http://127.0.0.1:" + std::to_string(port) + "/mcp"}, in, out);
    BOOST_TEST(out.str().find('\r') == std::string::npos);
    std::vector<json::value> lines;
    std::istringstream written(out.str());
    for (std::string line; std::getline(written, line);)
        lines.push_back(json::parse(line)); // throws unless each line is one JSON text
    return lines;
}

/// An error code of a response, or 0 for a result.
std::int64_t code_of(const json::value& response)
{
    boost::system::error_code absent;
    auto code = response.find_pointer("/error/code", absent);
    return code ? code->as_int64() : 0;
}

/// A line and the response it gets, by id and code. No id: no response.
struct expectation {
    std::string line;
    std::string id;
    std::int64_t code;
};

std::vector<expectation> expectations()
{
    constexpr int parse_error = -32700, invalid_request = -32600, invalid_params = -32602;
    std::vector<expectation> out{
        {"", "", 0},
        {" \t ", "", 0},
        {"\r", "", 0},
        {ping("1"), "1", 0},
        {ping("1") + "\r", "1", 0},
        {"  " + ping("\"text\"") + "  ", "\"text\"", 0},
        {ping("18446744073709551615"), "18446744073709551615", 0},
        {ping("-9223372036854775808"), "-9223372036854775808", 0},
        {ping("\"\\u0000\\n\""), "\"\\u0000\\n\"", 0},
        {ping("\"" + std::string(5000, 'i') + "\""), "\"" + std::string(5000, 'i') + "\"", 0},
        {request("2", "tools/call", "whoami"), "2", 0},
        {R"({"jsonrpc":"2.0","method":"notifications/initialized"})", "", 0},
        {R"({"jsonrpc":"2.0","method":"x","params":{"name":"a\nb",)" + meta + "}}", "", 0},
        {R"({"jsonrpc":"2.0","id":9,"result":{}})", "", 0},
        {R"({"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"m"}})", "", 0},
        {"nonsense", "null", parse_error},
        {"{", "null", parse_error},
        {"{}{}", "null", parse_error},
        {ping("1") + ping("2"), "null", parse_error},
        {"\xEF\xBB\xBF" + ping("1"), "null", parse_error},
        {"\0"s + ping("1"), "null", parse_error},
        {ping("1") + "\0"s, "null", parse_error},
        {ping("\"\xC3\""), "null", parse_error},
        {ping("\"\xED\xA0\x80\""), "null", parse_error},
        {ping("\"\xFF\xFE\""), "null", parse_error},
        {std::string(100, '['), "null", parse_error},
        {std::string(100, '[') + std::string(100, ']'), "null", parse_error},
        {std::string(2u << 20, 'x'), "null", parse_error},
        {ping("\"" + std::string(2u << 20, 'i') + "\""), "null", parse_error},
        {"null", "null", invalid_request},
        {"1", "null", invalid_request},
        {"\"ping\"", "null", invalid_request},
        {"{}", "null", invalid_request},
        {"[]", "null", invalid_request},
        {R"({"id":3,"method":"ping"})", "3", invalid_request},
        {R"({"jsonrpc":"1.0","id":3,"method":"ping"})", "3", invalid_request},
        {R"({"jsonrpc":2.0,"id":3,"method":"ping"})", "3", invalid_request},
        {R"({"jsonrpc":"2.0","id":3})", "3", invalid_request},
        {R"({"jsonrpc":"2.0","id":3,"method":""})", "3", invalid_request},
        {R"({"jsonrpc":"2.0","id":3,"method":7})", "3", invalid_request},
        {R"({"jsonrpc":"2.0","method":7})", "null", invalid_request},
        {R"({"jsonrpc":"2.0","id":null,"method":"ping"})", "null", invalid_request},
        {R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})", "null", invalid_request},
        {R"({"jsonrpc":"2.0","id":{},"method":"ping"})", "null", invalid_request},
        {R"({"jsonrpc":"2.0","id":true,"method":"ping"})", "null", invalid_request},
        {request("4", "tools\\ncall", "x"), "4", invalid_request},
        {request("4", std::string(10'000, 'm'), "x"), "4", invalid_request},
    };
    for (std::string bad :
         {"a\\nb", "a\\rb", "a\\r\\nX-Injected: 1", "a\\u0000b", "\\u0001", "a\\tb", "\\u007f", "\\n"}) {
        out.push_back({request("5", "tools/call", bad), "5", invalid_params});
        out.push_back({request("5", "resources/read", bad, "uri"), "5", invalid_params});
        out.push_back({R"({"jsonrpc":"2.0","id":5,"method":"ping","params":{"_meta":{)"
                       R"("io.modelcontextprotocol/protocolVersion":")" +
                           bad + "\"}}}",
                       "5", invalid_params});
        out.push_back({R"({"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":")" + bad + "\"}}",
                       "6", 0}); // no header repeats it
    }
    out.push_back({request("7", "tools/call", std::string(10'000, 'n')), "7", invalid_params});
    out.push_back({request("7", "tools/call", "\xC3\xA4\xE2\x82\xAC"), "7", 0});
    return out;
}

std::string problem(int status, const std::string& reason)
{
    return support::make_response(std::to_string(status) + " " + reason,
                                  R"({"status":)" + std::to_string(status) + R"(,"detail":"why"})",
                                  "Content-Type: application/problem+json\r\n");
}

} // namespace

BOOST_AUTO_TEST_SUITE(mcp_bridge)

BOOST_AUTO_TEST_CASE(every_request_gets_exactly_one_answer_and_every_other_line_what_json_rpc_wants)
{
    support::tcp_server correct(&answer_correctly);
    std::string input;
    std::vector<expectation> answered;
    for (auto& each : expectations()) {
        input += each.line + "\n";
        if (!each.id.empty())
            answered.push_back(each);
    }
    auto lines = run(correct.port(), input);
    BOOST_REQUIRE(lines.size() == answered.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto what = answered[i].line.substr(0, 200);
        BOOST_TEST(lines[i].at("jsonrpc").as_string() == "2.0");
        BOOST_TEST((lines[i].at("id") == json::parse(answered[i].id)), what << ": " << lines[i]);
        BOOST_TEST(code_of(lines[i]) == answered[i].code, what << ": " << lines[i]);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_fails_is_an_error_for_each_request)
{
    const std::string id_null = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}})";
    const std::vector<std::pair<std::string, std::int64_t>> responses{
        {"", -32603},
        {"nonsense\r\n\r\n", -32603},
        {problem(401, "Unauthorized"), -32603},
        {problem(403, "Forbidden"), -32603},
        {problem(413, "Payload Too Large"), -32603},
        {problem(429, "Too Many Requests"), -32603},
        {problem(503, "Service Unavailable"), -32603},
        {support::make_response("502 Bad Gateway", "<html>"), -32603},
        {support::make_response("301 Moved", "", "Location: http://127.0.0.1:1/\r\n"), -32603},
        {support::make_response("202 Accepted", ""), -32603},
        {support::make_response("204 No Content", ""), -32603},
        {support::make_response("200 OK", "<html>"), -32603},
        {support::make_response("200 OK", "\xFF\xFE"), -32603},
        {support::make_response("200 OK", "null"), -32603},
        {support::make_response("200 OK", "[]"), -32603},
        {support::make_response("200 OK", "[1]"), -32603},
        {support::make_response("200 OK", R"({"jsonrpc":"2.0","id":"other","result":{}})"), -32603},
        {support::make_response("200 OK", R"({"jsonrpc":"2.0","id":1})"), -32603},
        {support::make_response("200 OK", R"({"jsonrpc":"2.0"})"), -32603},
        {support::make_response("200 OK", R"({"error":{"code":"x"}})"), -32603},
        {support::make_response("200 OK", std::string(17u << 20, ' ')), -32603},
        {support::make_response("400 Bad Request", id_null), -32600},
    };
    const std::string input = ping("1") + "\n" + R"({"jsonrpc":"2.0","method":"n"})" + "\n[" + ping("2") +
                              "," + ping("\"3\"") + R"(,{"jsonrpc":"2.0","method":"n"}])" + "\n[" +
                              R"({"jsonrpc":"2.0","method":"n"}])" + "\n" + ping("4") + "\n";
    for (auto& [response, code] : responses) {
        support::tcp_server failing(always(response));
        auto lines = run(failing.port(), input);
        BOOST_REQUIRE_MESSAGE(lines.size() == 3, response.substr(0, 80));
        auto& batch = lines[1].as_array();
        BOOST_REQUIRE(batch.size() == 2u);
        const std::vector<std::pair<json::value, json::value>> answers{
            {1, lines[0]}, {2, batch[0]}, {"3", batch[1]}, {4, lines[2]}};
        for (auto& [id, answer] : answers) {
            BOOST_TEST((answer.at("id") == id), answer << " for " << response.substr(0, 80));
            BOOST_TEST(code_of(answer) == code, answer << " for " << response.substr(0, 80));
        }
    }
    auto lines = run(1, input); // no server listens there
    BOOST_TEST(lines.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_batch_is_answered_for_each_of_its_messages)
{
    support::tcp_server correct(&answer_correctly);
    auto lines = run(correct.port(), "[" + ping("1") + R"(,7,{"jsonrpc":"2.0","method":"n"},{"id":2},)" +
                                         ping("3") + "]\r\n");
    BOOST_REQUIRE(lines.size() == 1u);
    auto& batch = lines[0].as_array();
    BOOST_REQUIRE(batch.size() == 4u);
    BOOST_TEST(code_of(batch[0]) == 0);
    BOOST_TEST(code_of(batch[1]) == -32600);
    BOOST_TEST(batch[1].at("id").is_null());
    BOOST_TEST(code_of(batch[2]) == -32600);
    BOOST_TEST(batch[2].at("id").as_int64() == 2);
    BOOST_TEST(batch[3].at("id").as_int64() == 3);
}

BOOST_AUTO_TEST_CASE(no_mutated_line_ends_the_bridge_or_costs_another_line_its_answer)
{
    auto set = std::getenv("LATCHKEY_TEST_SEED");
    const auto seed = static_cast<unsigned>(set ? std::atol(set) : 1);
    BOOST_TEST_MESSAGE("LATCHKEY_TEST_SEED=" << seed);
    std::mt19937 random(seed);
    auto samples = expectations();
    std::erase_if(samples, [](auto& each) { return each.line.size() > 1000; });
    const std::vector<std::string> splinters{"\0"s,     "\r",      "\\n",   "\\u0000", "\"",   "{",
                                             "[",       "}",       "]",     ",",       "\xFF", "\xC3",
                                             "\\ud800", "\x1B[2J", "1e999", "null",    ":",    "\\"};
    std::string input;
    std::size_t count = 500;
    for (std::size_t i = 0; i < count; ++i) {
        auto line = samples[random() % samples.size()].line;
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            auto at = random() % (line.size() + 1);
            if (random() % 3 == 0 && at < line.size())
                line[at] = static_cast<char>(random());
            else if (random() % 2 == 0)
                line.insert(at, splinters[random() % splinters.size()]);
            else
                line.erase(at, random() % 8);
        }
        std::erase(line, '\n');
        input += line + "\n" + ping("\"after " + std::to_string(i) + "\"") + "\n";
    }
    input.pop_back(); // the last line has no end

    support::tcp_server correct(&answer_correctly);
    auto lines = run(correct.port(), input);
    std::size_t answered = 0;
    bool had_other = false;
    for (auto& line : lines) {
        boost::system::error_code absent;
        auto id = line.find_pointer("/id", absent);
        auto wanted = "after " + std::to_string(answered);
        if (id && id->is_string() && id->get_string() == wanted) {
            ++answered;
            had_other = false;
        } else { // of the mutated line before it
            BOOST_TEST(!had_other, wanted);
            had_other = true;
        }
    }
    BOOST_TEST(answered == count);
}

BOOST_AUTO_TEST_CASE(a_closed_output_ends_the_bridge)
{
    support::tcp_server correct(&answer_correctly);
    std::istringstream in(ping("1") + "\n" + ping("2") + "\n" + ping("3") + "\n");
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    server::run_mcp_bridge({"key", "http://127.0.0.1:" + std::to_string(correct.port()) + "/mcp"}, in, out);
    BOOST_TEST(out.str().empty());
}

BOOST_AUTO_TEST_SUITE_END()
