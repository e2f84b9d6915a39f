#include "server/cli/mcp_bridge.hpp"

#include "handlers/oidc/https_client.hpp"
#include "schemas/engine/json.hpp"
#include "server/cli/http_client.hpp"
#include "server/secret_files.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdlib>
#include <istream>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string_view>
#include <vector>

namespace server {

namespace json = boost::json;

namespace {

/// In seconds.
constexpr long request_timeout = 60;
constexpr std::size_t max_line_size = 1 << 20;
/// Of a value that a header repeats: a method, a tool name, a URI, a protocol version.
constexpr std::size_t max_header_value = 2048;

// The error codes of JSON-RPC 2.0, section 5.1.
constexpr int parse_error = -32700, invalid_request = -32600, invalid_params = -32602,
              internal_error = -32603;

std::string text_at(const json::value& from, std::string_view pointer)
{
    boost::system::error_code absent;
    auto found = from.find_pointer(pointer, absent);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// Whether a header can carry the value: no control characters (RFC 9110, section 5.5), and not overlong.
bool fits_header(std::string_view value)
{
    auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    return value.size() <= max_header_value && std::ranges::none_of(value, is_control);
}

// ---- messages

struct rpc_error {
    int code;
    std::string message;
    /// Of the HTTP response; 0: none.
    long status = 0;
};

json::object error_response(const json::value& id, const rpc_error& why)
{
    json::object error{{"code", why.code}, {"message", why.message}};
    if (why.status != 0)
        error["data"] = json::object{{"status", why.status}};
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
}

enum class message_kind { request, notification, response, invalid };

/// A message as JSON-RPC 2.0 classifies it, with the ids that MCP permits: strings and integers.
struct message {
    message_kind kind = message_kind::invalid;
    /// Null unless the message has a valid one.
    json::value id;
    std::string method;
};

message classify(const json::value& from)
{
    message out;
    auto object = from.if_object();
    if (!object)
        return out;
    auto id = object->if_contains("id");
    const bool is_valid_id = id && (id->is_string() || id->is_int64() || id->is_uint64());
    if (is_valid_id)
        out.id = *id;
    if (text_at(from, "/jsonrpc") != "2.0")
        return out;
    out.method = text_at(from, "/method");
    if (!out.method.empty())
        out.kind = !id ? message_kind::notification : is_valid_id ? message_kind::request : out.kind;
    else if (!object->contains("method") && (object->contains("result") || object->contains("error")))
        out.kind = message_kind::response;
    return out;
}

/// Whether the value is a response to the request with this id.
bool answers(const json::value& response, const json::value& id)
{
    auto object = response.if_object();
    auto its_id = object ? object->if_contains("id") : nullptr;
    return its_id && *its_id == id && text_at(response, "/jsonrpc") == "2.0" &&
           object->contains("result") != object->contains("error");
}

// ---- forwarding

class bridge {
public:
    explicit bridge(const bridge_settings& settings) : settings_(settings), server_(request_timeout) {}

    /// Forward one line. @return the response line; empty if JSON-RPC wants none
    std::string forward(const std::string& line)
    {
        const schemas::json_document read(line);
        if (!read.root())
            return json::serialize(error_response(nullptr, {parse_error, "Parse error: Invalid JSON"}));
        if (auto batch = read.root()->if_array(); batch && !batch->empty())
            return forward_batch(line, *read.root(), *batch);
        return forward_one(line, *read.root());
    }

private:
    /// A parsed HTTP response, or why there is none that JSON-RPC can use.
    struct exchange {
        http_response http;
        /// Null if the body is not JSON.
        json::value content;
        std::optional<rpc_error> failure;
    };

    std::string forward_one(const std::string& line, const json::value& from)
    {
        auto in = classify(from);
        if (in.kind == message_kind::invalid)
            return json::serialize(
                error_response(in.id, {invalid_request, "Invalid Request: not a JSON-RPC 2.0 message"}));
        auto done = exchange_safely(line, from, in.method);
        if (in.kind != message_kind::request)
            return {};
        if (!done.failure && answers(done.content, in.id)) {
            remember_version(in.method, done.content);
            return json::serialize(done.content); // on one line
        }
        return json::serialize(error_response(in.id, reason(done)));
    }

    /** A batch, which one protocol version has. The server rejects it as a whole under the others: then each
        request in it gets that error, since a client waits for its ids. */
    std::string forward_batch(const std::string& line, const json::value& from, const json::array& batch)
    {
        auto done = exchange_safely(line, from, {});
        auto responses = done.content.if_array();
        json::array out;
        for (auto& each : batch) {
            auto in = classify(each);
            if (in.kind == message_kind::invalid)
                out.emplace_back(
                    error_response(in.id, {invalid_request, "Invalid Request: not a JSON-RPC 2.0 message"}));
            if (in.kind != message_kind::request)
                continue;
            const json::value* found = nullptr;
            if (!done.failure && responses)
                for (auto& one : *responses)
                    if (!found && answers(one, in.id))
                        found = &one;
            out.emplace_back(found ? *found : json::value(error_response(in.id, reason(done))));
        }
        return out.empty() ? std::string() : json::serialize(out);
    }

    /// Send a line. Every failure is a value: an exception would end the process, and with it the session of
    /// the client.
    exchange exchange_safely(const std::string& line, const json::value& from, const std::string& method)
    {
        exchange out;
        try {
            std::vector<std::string> headers{"Content-Type: application/json",
                                             "Accept: application/json, text/event-stream",
                                             "Expect:", // no 100-continue round trip
                                             "Authorization: Bearer " + settings_.api_key};
            out.failure = add_headers(headers, from, method);
            if (out.failure)
                return out;
            out.http = server_.post(settings_.url, line, headers);
            boost::system::error_code invalid;
            out.content = json::parse(out.http.body, invalid);
            if (invalid)
                out.content = nullptr;
        } catch (const std::exception& e) {
            out.failure = rpc_error{internal_error, std::string("The message cannot be sent: ") + e.what()};
        }
        return out;
    }

    /// The headers that repeat values of the message. @return an error for a value that no header can carry
    std::optional<rpc_error> add_headers(std::vector<std::string>& headers, const json::value& from,
                                         const std::string& method) const
    {
        auto version = text_at(from, "/params/_meta/io.modelcontextprotocol~1protocolVersion");
        if (version.empty()) {
            if (!negotiated_.empty() && method != "initialize")
                headers.push_back("MCP-Protocol-Version: " + negotiated_);
            return std::nullopt;
        }
        if (!fits_header(method))
            return rpc_error{invalid_request, "The method is too long or has control characters."};
        auto name = text_at(from, method == "resources/read" ? "/params/uri" : "/params/name");
        if (!fits_header(version) || !fits_header(name))
            return rpc_error{invalid_params, "The protocol version, name or URI is too long or has control "
                                             "characters."};
        headers.push_back("MCP-Protocol-Version: " + version);
        headers.push_back("Mcp-Method: " + method);
        if (!name.empty())
            headers.push_back("Mcp-Name: " + name);
        return std::nullopt;
    }

    /// Remember the negotiated version: over HTTP every later message carries it.
    void remember_version(std::string_view method, const json::value& response)
    {
        auto version = method == "initialize" ? text_at(response, "/result/protocolVersion") : std::string();
        if (fits_header(version) && !version.empty())
            negotiated_ = version;
    }

    /// Why an exchange has no response to a request.
    rpc_error reason(const exchange& done) const
    {
        if (done.failure)
            return *done.failure;
        auto& http = done.http;
        if (!http.error.empty())
            return {internal_error, "The server at " + settings_.url + " is unreachable: " + http.error};
        // JSON-RPC errors of a whole request: the server could not tell which message they belong to.
        boost::system::error_code absent;
        auto code = done.content.find_pointer("/error/code", absent);
        if (code && code->is_int64() && code->get_int64() >= -32768 && code->get_int64() <= -32000)
            return {static_cast<int>(code->get_int64()), text_at(done.content, "/error/message"),
                    http.status};
        if (http.status >= 200 && http.status < 300)
            return {internal_error, "The server's response is not JSON-RPC.", http.status};
        auto detail = text_at(done.content, "/detail");
        return {internal_error,
                "The server rejected the message (" + std::to_string(http.status) +
                    "): " + (detail.empty() ? "not a Latchkey server" : detail),
                http.status};
    }

    const bridge_settings& settings_;
    http_client server_;
    std::string negotiated_;
};

// ---- lines

enum class line_state { complete, too_long, end };

/// Read a line without its LF or CR LF, in bounded memory: the rest of an overlong line is discarded.
line_state read_line(std::istream& in, std::string& line)
{
    constexpr auto end_of_file = std::streambuf::traits_type::eof();
    line.clear();
    bool is_overlong = false, is_empty = true;
    auto* source = in.rdbuf();
    int next = end_of_file;
    while ((next = source->sbumpc()) != end_of_file) {
        is_empty = false;
        if (next == '\n')
            break;
        is_overlong = is_overlong || line.size() == max_line_size;
        if (!is_overlong)
            line += static_cast<char>(next);
    }
    if (is_empty)
        return line_state::end;
    if (line.ends_with('\r'))
        line.pop_back();
    return is_overlong ? line_state::too_long : line_state::complete;
}

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
    if (!fits_header(out.api_key))
        throw std::runtime_error("TENEX_API_KEY has control characters or is too long; it holds the API key");
    auto base = variable("TENEX_API_BASE");
    if (base.empty())
        base = "http://127.0.0.1:8080";
    auto reach = reach_of(base);
    if (!reach)
        throw std::runtime_error("TENEX_API_BASE must be a URL such as https://id.example.com");
    if (*reach == url_reach::network_in_clear)
        throw std::runtime_error(
            "TENEX_API_BASE must begin with https:// unless its host is this machine: over "
            "http:// the API key would cross the network unencrypted");
    for (std::string_view suffix : {"/", "/users", "/v1", "/api", "/"})
        base = without_suffix(std::move(base), suffix);
    out.url = base + "/mcp";
    return out;
}

void run_mcp_bridge(const bridge_settings& settings, std::istream& in, std::ostream& out)
{
    bridge to_server(settings);
    std::string line;
    for (;;) {
        auto state = read_line(in, line);
        if (state == line_state::end || !out)
            return;
        if (line.find_first_not_of(" \t\r") == line.npos)
            continue;
        auto response = state == line_state::too_long
                            ? json::serialize(error_response(nullptr, {parse_error, "Message too long"}))
                            : to_server.forward(line);
        if (!response.empty())
            out << response << std::endl;
    }
}

} // namespace server
