#include "server/cli/mcp_bridge.hpp"

#include "schemas/engine/json.hpp"
#include "server/cli/http_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace server {

namespace json = boost::json;

namespace {

constexpr long answer_limit = 60; // seconds
constexpr std::size_t largest_line = 1 << 20;
constexpr int internal_error = -32603, parse_error = -32700;

std::string text_at(const json::value& from, std::string_view pointer)
{
    boost::system::error_code absent;
    auto found = from.find_pointer(pointer, absent);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string failure(const json::value& id, int code, std::string_view why)
{
    json::object error{{"code", code}, {"message", why}};
    json::object whole{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
    return json::serialize(whole);
}

/** A header line of a text that came from outside. */
std::string header_line(std::string_view name, const std::string& value)
{
    if (value.find_first_of("\r\n") != value.npos)
        throw std::invalid_argument("a line break in a header");
    return std::string(name) + ": " + value;
}

class bridge {
public:
    explicit bridge(const bridge_settings& settings) : settings_(settings), server_(answer_limit) {}

    /** @return the line to answer with; empty if none is due */
    std::string carry(const std::string& line)
    {
        const schemas::document read(line);
        if (!read.root())
            return failure(nullptr, parse_error, "Parse error: Invalid JSON");
        auto& message = *read.root();
        auto object = message.if_object();
        auto id = object ? object->if_contains("id") : nullptr;
        bool wants_answer = !object || (id && object->contains("method"));
        auto answer = server_.post(settings_.url, line, headers_of(message));
        if (!wants_answer)
            return {};
        boost::system::error_code wrong;
        auto told = json::parse(answer.body, wrong);
        bool is_rpc = !wrong && (told.is_array() || !text_at(told, "/jsonrpc").empty());
        if (is_rpc) {
            note_version(text_at(message, "/method"), told);
            return json::serialize(told); // on one line, whatever came
        }
        return failure(id ? *id : json::value(), internal_error, reason(answer, told));
    }

private:
    std::vector<std::string> headers_of(const json::value& message) const
    {
        std::vector<std::string> out{"Content-Type: application/json",
                                     "Accept: application/json, text/event-stream",
                                     "Expect:", // a body this small need not ask first
                                     header_line("Authorization", "Bearer " + settings_.api_key)};
        auto method = text_at(message, "/method");
        auto version = text_at(message, "/params/_meta/io.modelcontextprotocol~1protocolVersion");
        if (!version.empty()) {
            out.push_back(header_line("MCP-Protocol-Version", version));
            out.push_back(header_line("Mcp-Method", method));
            auto name = text_at(message, method == "resources/read" ? "/params/uri" : "/params/name");
            if (!name.empty())
                out.push_back(header_line("Mcp-Name", name));
        } else if (!negotiated_.empty() && method != "initialize") {
            out.push_back(header_line("MCP-Protocol-Version", negotiated_));
        }
        return out;
    }

    /** Over HTTP the version that was agreed upon goes with every later message. */
    void note_version(std::string_view method, const json::value& answer)
    {
        if (method == "initialize")
            negotiated_ = text_at(answer, "/result/protocolVersion");
    }

    std::string reason(const http_answer& answer, const json::value& told) const
    {
        if (!answer.fault.empty())
            return "The server at " + settings_.url + " cannot be reached: " + answer.fault;
        auto detail = text_at(told, "/detail");
        return "The server refused (" + std::to_string(answer.status) +
               "): " + (detail.empty() ? "it is no Latchkey" : detail);
    }

    const bridge_settings& settings_;
    http_client server_;
    std::string negotiated_;
};

std::string without_end(std::string text, std::string_view end)
{
    if (text.ends_with(end))
        text.resize(text.size() - end.size());
    return text;
}

} // namespace

bridge_settings read_bridge_settings()
{
    auto variable = [](const char* name) {
        auto value = std::getenv(name);
        return std::string(value ? value : "");
    };
    bridge_settings out;
    out.api_key = variable("TENEX_API_KEY");
    if (out.api_key.empty())
        throw std::runtime_error("TENEX_API_KEY is not set: the API key to act with, tnx_...");
    auto base = variable("TENEX_API_BASE");
    if (base.empty())
        base = "http://127.0.0.1:8080";
    if (!base.starts_with("http://") && !base.starts_with("https://"))
        throw std::runtime_error("TENEX_API_BASE must be a URL such as https://id.example.com");
    for (std::string_view end : {"/", "/users", "/v1", "/api", "/"})
        base = without_end(std::move(base), end);
    out.url = base + "/mcp";
    return out;
}

void carry_messages(const bridge_settings& settings, std::istream& in, std::ostream& out)
{
    bridge to_server(settings);
    for (std::string line; std::getline(in, line);) {
        if (line.find_first_not_of(" \t\r") == line.npos)
            continue;
        auto answer = line.size() > largest_line ? failure(nullptr, parse_error, "The message is too long")
                                                 : to_server.carry(line);
        if (!answer.empty())
            out << answer << std::endl;
    }
}

} // namespace server
