#include "server/cli/mcp_bridge.hpp"

#include "handlers/oidc/https_client.hpp"
#include "schemas/engine/json.hpp"
#include "server/cli/http_client.hpp"
#include "server/secret_files.hpp"

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

/// In seconds.
constexpr long request_timeout = 60;
constexpr std::size_t max_line_size = 1 << 20;
constexpr int internal_error = -32603, parse_error = -32700;

std::string text_at(const json::value& from, std::string_view pointer)
{
    boost::system::error_code absent;
    auto found = from.find_pointer(pointer, absent);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string make_error(const json::value& id, int code, std::string_view message)
{
    json::object error{{"code", code}, {"message", message}};
    json::object whole{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
    return json::serialize(whole);
}

/// A header line with a value from the message. @throw std::invalid_argument against header injection
std::string header_line(std::string_view name, const std::string& value)
{
    if (value.find_first_of("\r\n") != value.npos)
        throw std::invalid_argument("a line break in a header");
    return std::string(name) + ": " + value;
}

class bridge {
public:
    explicit bridge(const bridge_settings& settings) : settings_(settings), server_(request_timeout) {}

    /// Forward one message. @return the response line; empty for a notification
    std::string forward(const std::string& line)
    {
        const schemas::json_document read(line);
        if (!read.root())
            return make_error(nullptr, parse_error, "Parse error: Invalid JSON");
        auto& message = *read.root();
        auto object = message.if_object();
        auto id = object ? object->if_contains("id") : nullptr;
        bool is_request = !object || (id && object->contains("method"));
        auto response = server_.post(settings_.url, line, headers_of(message));
        if (!is_request)
            return {};
        boost::system::error_code wrong;
        auto content = json::parse(response.body, wrong);
        bool is_rpc = !wrong && (content.is_array() || !text_at(content, "/jsonrpc").empty());
        if (is_rpc) {
            remember_version(text_at(message, "/method"), content);
            return json::serialize(content); // on one line
        }
        return make_error(id ? *id : json::value(), internal_error, reason(response, content));
    }

private:
    std::vector<std::string> headers_of(const json::value& message) const
    {
        std::vector<std::string> out{"Content-Type: application/json",
                                     "Accept: application/json, text/event-stream",
                                     "Expect:", // no 100-continue round trip
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

    /// Remember the negotiated version: over HTTP every later message carries it.
    void remember_version(std::string_view method, const json::value& response)
    {
        if (method == "initialize")
            negotiated_ = text_at(response, "/result/protocolVersion");
    }

    std::string reason(const http_response& response, const json::value& content) const
    {
        if (!response.error.empty())
            return "The server at " + settings_.url + " is unreachable: " + response.error;
        auto detail = text_at(content, "/detail");
        return "The server rejected the message (" + std::to_string(response.status) +
               "): " + (detail.empty() ? "not a Latchkey server" : detail);
    }

    const bridge_settings& settings_;
    http_client server_;
    std::string negotiated_;
};

std::string without_suffix(std::string text, std::string_view suffix)
{
    if (text.ends_with(suffix))
        text.resize(text.size() - suffix.size());
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
    if (auto path = variable("TENEX_API_KEY_FILE"); !path.empty()) {
        if (!out.api_key.empty())
            throw std::runtime_error("TENEX_API_KEY_FILE: TENEX_API_KEY is set as well: use one of them");
        auto file = read_secret_file(path);
        if (!file.error.empty())
            throw std::runtime_error("TENEX_API_KEY_FILE: " + path + " cannot be read: " + file.error);
        out.api_key = std::move(file.content);
    }
    if (out.api_key.empty())
        throw std::runtime_error("TENEX_API_KEY is not set; it holds the API key, tnx_...");
    auto base = variable("TENEX_API_BASE");
    if (base.empty())
        base = "http://127.0.0.1:8080";
    if (!handlers::is_loopback_url(base))
        throw std::runtime_error(
            "TENEX_API_BASE must be a URL such as https://id.example.com: http, which sends the "
            "API key in clear, is for servers on this host only");
    for (std::string_view suffix : {"/", "/users", "/v1", "/api", "/"})
        base = without_suffix(std::move(base), suffix);
    out.url = base + "/mcp";
    return out;
}

void run_mcp_bridge(const bridge_settings& settings, std::istream& in, std::ostream& out)
{
    bridge to_server(settings);
    for (std::string line; std::getline(in, line);) {
        if (line.find_first_not_of(" \t\r") == line.npos)
            continue;
        auto response = line.size() > max_line_size ? make_error(nullptr, parse_error, "Message too long")
                                                    : to_server.forward(line);
        if (!response.empty())
            out << response << std::endl;
    }
}

} // namespace server
