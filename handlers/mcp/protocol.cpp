#include "handlers/mcp/protocol.hpp"

#include "handlers/access/permissions.hpp"
#include "handlers/access/text.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "handlers/mcp/tools.hpp"
#include "schemas/engine/json.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/mcp.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace handlers::mcp {

namespace json = boost::json;

namespace {

/// The version without sessions.
constexpr std::string_view stateless_version = "2026-07-28";
/// Versions in which a client begins with `initialize`, newest first.
constexpr std::array<std::string_view, 3> handshake_versions{"2025-11-25", "2025-06-18", "2025-03-26"};
/// The only version with batches.
constexpr std::string_view batch_version = "2025-03-26";
constexpr std::size_t max_batch_size = 50;

constexpr std::string_view meta_version = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view meta_capabilities = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view meta_server = "io.modelcontextprotocol/serverInfo";

constexpr std::string_view instructions =
    "Accounts, teams and API keys of the workspace that the credential selects. Call whoami first. Lists are "
    "paginated. A call that the credential does not permit is rejected with a reason.";

// The error codes of JSON-RPC, and those that the protocol adds.
enum rpc_error : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    unsupported_handshake = -32000,
    header_mismatch = -32020,
    unsupported_version = -32022
};

json::object server_info()
{
    return {{"name", "latchkey"}, {"title", "Latchkey"}, {"version", LATCHKEY_VERSION}};
}

json::object capabilities()
{
    return {{"tools", {{"listChanged", false}}}};
}

// ---- messages

/// One incoming message. Refers to the document.
struct message {
    const json::object& whole;

    const json::value* id() const { return whole.if_contains("id"); }

    std::string_view method() const
    {
        auto found = whole.if_contains("method");
        return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
    }

    const json::object* params() const
    {
        auto found = whole.if_contains("params");
        return found ? found->if_object() : nullptr;
    }

    const json::value* param(std::string_view name) const
    {
        auto all = params();
        return all ? all->if_contains(name) : nullptr;
    }

    /// A member of params._meta, or null.
    const json::value* meta(std::string_view name) const
    {
        auto found = param("_meta");
        auto members = found ? found->if_object() : nullptr;
        return members ? members->if_contains(name) : nullptr;
    }

    /// A string among the params; empty if there is none.
    std::string_view text(std::string_view name) const
    {
        auto found = param(name);
        return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
    }
};

std::string_view text_of(const json::value* value)
{
    return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

/// An HTTP status and a JSON-RPC response, if any.
struct outcome {
    unsigned status = 200;
    std::string body = {};
};

std::string id_text(const json::value* id)
{
    return id ? json::serialize(*id) : "null";
}

outcome succeed(const message& to, std::string_view result)
{
    outcome out;
    out.body.append(R"({"jsonrpc":"2.0","id":)").append(id_text(to.id())).append(R"(,"result":)");
    out.body.append(result).append("}");
    return out;
}

outcome fail(unsigned status, const json::value* id, rpc_error code, std::string_view why,
             json::object data = {})
{
    json::object error{{"code", static_cast<int>(code)}, {"message", why}};
    if (!data.empty())
        error["data"] = std::move(data);
    json::object whole{{"jsonrpc", "2.0"}, {"id", id ? *id : json::value()}, {"error", std::move(error)}};
    return {status, json::serialize(whole)};
}

json::object supported_versions(std::string_view requested)
{
    json::array all{stateless_version};
    for (auto version : handshake_versions)
        all.emplace_back(version);
    return {{"supported", std::move(all)}, {"requested", requested}};
}

// ---- methods

/// The generation of the protocol: 2026-07-28 adds members to results.
enum class generation { handshake, stateless };

void add_to_result(json::object& result, generation protocol, bool is_cacheable)
{
    if (protocol == generation::handshake)
        return;
    result["resultType"] = "complete";
    if (is_cacheable) {
        result["ttlMs"] = 3'600'000;
        result["cacheScope"] = "private";
    }
}

outcome initialize(const message& in)
{
    auto wanted = in.text("protocolVersion");
    auto known = std::ranges::find(handshake_versions, wanted);
    json::object result{
        {"protocolVersion", known == handshake_versions.end() ? handshake_versions.front() : *known},
        {"capabilities", capabilities()},
        {"serverInfo", server_info()},
        {"instructions", instructions}};
    return succeed(in, json::serialize(result));
}

outcome discover(const message& in)
{
    json::object result{{"supportedVersions", supported_versions({})["supported"]},
                        {"capabilities", capabilities()},
                        {"instructions", instructions},
                        {"_meta", {{meta_server, server_info()}}}};
    add_to_result(result, generation::stateless, true);
    return succeed(in, json::serialize(result));
}

outcome list_tools(const message& in, generation protocol)
{
    static const json::array tools = [] {
        json::array out;
        for (auto& one : all_mcp_tools())
            out.emplace_back(describe_mcp_tool(one));
        return out;
    }();
    json::object result{{"tools", tools}};
    add_to_result(result, protocol, true);
    return succeed(in, json::serialize(result));
}

awaitable<outcome> call_tool(call& c, message in, generation protocol)
{
    auto tool = find_mcp_tool(in.text("name"));
    if (!tool)
        co_return fail(protocol == generation::stateless ? 400 : 200, in.id(), invalid_params,
                       "Unknown tool: " + std::string(in.text("name")));
    auto given = in.param("arguments");
    json::value arguments = given ? *given : json::value(json::object());
    auto answer = co_await run_mcp_tool(c, *tool, arguments);
    bool is_error = answer.status >= 400;
    std::string result = R"({"content":[{"type":"text","text":)";
    schemas::write_string(result, answer.body);
    result += "}]";
    if (!is_error)
        result.append(R"(,"structuredContent":)").append(answer.body);
    result.append(R"(,"isError":)").append(is_error ? "true" : "false");
    if (protocol == generation::stateless)
        result += R"(,"resultType":"complete")";
    result += "}";
    co_return succeed(in, result);
}

// ---- 2026-07-28: every request is self-contained; headers repeat what params._meta has

std::optional<outcome> validate_headers(const call& c, const message& in)
{
    auto header = [&](std::string_view name) { return trim(c.req.head[name]); };
    auto differs = [&](std::string_view name, std::string_view wanted) -> std::optional<outcome> {
        if (header(name) == wanted)
            return std::nullopt;
        return fail(400, in.id(), header_mismatch,
                    "The header " + std::string(name) + " and the body differ.");
    };
    if (auto error = differs("MCP-Protocol-Version", text_of(in.meta(meta_version))))
        return error;
    if (auto error = differs("Mcp-Method", in.method()))
        return error;
    if (in.method() == "tools/call" || in.method() == "prompts/get")
        return differs("Mcp-Name", in.text("name"));
    if (in.method() == "resources/read")
        return differs("Mcp-Name", in.text("uri"));
    return std::nullopt;
}

awaitable<outcome> answer_stateless(call& c, message in)
{
    auto version = text_of(in.meta(meta_version));
    auto client = in.meta(meta_capabilities);
    if (version.empty() || !client || !client->is_object())
        co_return fail(400, in.id(), invalid_params,
                       "params._meta must hold the protocol version and the client's capabilities.");
    if (auto error = validate_headers(c, in))
        co_return std::move(*error);
    if (version != stateless_version)
        co_return fail(400, in.id(), unsupported_version, "Unsupported protocol version",
                       supported_versions(version));
    if (in.method() == "server/discover")
        co_return discover(in);
    if (in.method() == "tools/list")
        co_return list_tools(in, generation::stateless);
    if (in.method() == "tools/call")
        co_return co_await call_tool(c, in, generation::stateless);
    co_return fail(404, in.id(), method_not_found, "Method not found");
}

// ---- earlier versions: a client that has sent `initialize`, of which no state is kept

awaitable<outcome> answer_after_handshake(call& c, message in)
{
    if (in.method() == "initialize")
        co_return initialize(in);
    if (in.method() == "ping")
        co_return succeed(in, "{}");
    if (in.method() == "tools/list")
        co_return list_tools(in, generation::handshake);
    if (in.method() == "tools/call")
        co_return co_await call_tool(c, in, generation::handshake);
    co_return fail(200, in.id(), method_not_found, "Method not found");
}

// ---- all versions

bool is_id(const json::value& id)
{
    return id.is_string() || id.is_int64() || id.is_uint64();
}

/// @return 202 without a body for notifications
awaitable<outcome> answer_one(call& c, const json::value& from)
{
    auto object = from.if_object();
    auto version = object ? object->if_contains("jsonrpc") : nullptr;
    if (!version || text_of(version) != "2.0")
        co_return fail(400, nullptr, invalid_request, "Not a JSON-RPC 2.0 message.");
    message in{*object};
    if (in.method().empty()) {
        bool is_response = object->contains("result") || object->contains("error");
        if (!is_response)
            co_return fail(400, in.id(), invalid_request, "The message has no method.");
        co_return outcome{202};
    }
    if (!in.id())
        co_return outcome{202};
    if (!is_id(*in.id()))
        co_return fail(400, nullptr, invalid_request, "The id must be a string or an integer.");

    auto header = trim(c.req.head["MCP-Protocol-Version"]);
    bool is_stateless =
        header == stateless_version || in.meta(meta_version) || in.method() == "server/discover";
    if (is_stateless)
        co_return co_await answer_stateless(c, in);
    bool is_known =
        header.empty() || std::ranges::find(handshake_versions, header) != handshake_versions.end();
    if (!is_known)
        co_return fail(400, in.id(), unsupported_handshake, "Bad Request: Unsupported protocol version",
                       supported_versions(header));
    co_return co_await answer_after_handshake(c, in);
}

reply to_http(outcome from)
{
    reply out;
    out.status = from.status;
    if (from.body.empty())
        out.content_type = {};
    out.body = std::move(from.body);
    return out;
}

/** Each message is authorized as a request of its own: it counts against the rate limit, and sees what
    earlier messages changed about the caller. */
awaitable<reply> answer_batch(call& c, const json::array& all)
{
    auto header = trim(c.req.head["MCP-Protocol-Version"]);
    if (all.empty() || all.size() > max_batch_size || (!header.empty() && header != batch_version))
        co_return to_http(
            fail(400, nullptr, invalid_request, "Batches require 2025-03-26 and hold 1 to 50 messages."));
    std::string body;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i > 0) {
            auto refused = co_await authorize(c, allow_unverified);
            if (refused)
                co_return refuse(c, *refused);
        }
        auto one = co_await answer_one(c, all[i]);
        if (!one.body.empty())
            body.append(body.empty() ? "[" : ",").append(one.body);
    }
    outcome out;
    out.status = body.empty() ? 202 : 200;
    if (!body.empty())
        out.body = body + "]";
    co_return to_http(std::move(out));
}

/// Whether a browser sent the request from an origin that is neither ours nor allowed by the operator.
bool is_foreign_origin(const call& c)
{
    auto origin = c.req.header(http::field::origin);
    if (origin.empty())
        return false;
    auto& url = c.cx.config.public_url;
    auto ours = std::string_view(url).substr(0, url.find('/', url.find("://") + 3));
    auto& allowed = c.cx.config.cors_origins;
    return origin != ours && std::ranges::find(allowed, origin) == allowed.end();
}

problem foreign_origin()
{
    return problem::of(codes::forbidden, "This origin is not allowed.");
}

/// Whether the client accepts both types that the protocol requires: JSON, and event streams (never sent).
bool accepts_responses(const request& req)
{
    auto list = req.header(http::field::accept);
    if (list.empty())
        return true;
    bool accepts_json = false, accepts_events = false;
    while (!list.empty()) {
        auto comma = list.find(',');
        auto type = trim(list.substr(0, std::min(comma, list.find(';'))));
        accepts_json = accepts_json || type == "*/*" || type == "application/*" || type == "application/json";
        accepts_events = accepts_events || type == "*/*" || type == "text/*" || type == "text/event-stream";
        list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    }
    return accepts_json && accepts_events;
}

std::string metadata_url(const call& c)
{
    return c.cx.config.public_url + "/.well-known/oauth-protected-resource/mcp";
}

} // namespace

awaitable<reply> serve(call& c)
{
    if (is_foreign_origin(c))
        co_return to_reply(foreign_origin());
    if (!accepts_responses(c.req))
        co_return to_http(
            fail(406, nullptr, unsupported_handshake,
                 "Not Acceptable: Client must accept both application/json and text/event-stream"));
    if (!is_json(c.req.header(http::field::content_type)))
        co_return to_reply(problem::unsupported_media_type("application/json"));
    schemas::json_document read(c.req.body());
    if (!read.root())
        co_return to_http(fail(400, nullptr, parse_error, "Parse error: Invalid JSON"));
    if (auto all = read.root()->if_array())
        co_return co_await answer_batch(c, *all);
    co_return to_http(co_await answer_one(c, *read.root()));
}

reply refuse(call& c, const problem& why)
{
    if (is_foreign_origin(c))
        return to_reply(foreign_origin());
    if (why.challenge.empty())
        return to_reply(why);
    auto out = why;
    out.challenge.append(", resource_metadata=\"").append(metadata_url(c)).append("\"");
    return to_reply(out);
}

reply describe_resource(call& c)
{
    auto& url = c.cx.config.public_url;
    schemas::protected_resource metadata;
    metadata.resource = url + "/mcp";
    metadata.resource_name = "Latchkey";
    metadata.bearer_methods_supported.emplace_back("header");
    for (auto permission : permission_table::builtin())
        metadata.scopes_supported.emplace_back(permission);
    metadata.resource_documentation = url + "/docs";
    reply out;
    out.body = schemas::to_json(metadata);
    out.cache_control = "public, max-age=3600";
    return out;
}

} // namespace handlers::mcp
