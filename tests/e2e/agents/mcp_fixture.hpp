// JSON-RPC requests to /mcp.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>
#include <utility>
#include <vector>

namespace e2e {

using header_lines = std::vector<std::pair<std::string, std::string>>;

/// Ada's workspace with one member of each role, and the requests of an MCP client.
struct mcp_fixture : team_fixture {
    using team_fixture::team_fixture;

    support::response post_message(const std::string& body, const std::string& with,
                                   const header_lines& more = {})
    {
        support::http::request<support::http::string_body> message(support::http::verb::post, "/mcp", 11);
        message.set("Content-Type", "application/json");
        message.set("Accept", "application/json, text/event-stream");
        if (!with.empty())
            message.set("Authorization", "Bearer " + with);
        for (auto& [name, value] : more)
            message.set(name, value);
        message.body() = body;
        return client.send(std::move(message));
    }

    /// Call a method as clients with a handshake do (revisions before 2026-07-28).
    support::response call_method(const std::string& method, const std::string& params,
                                  const std::string& with)
    {
        return post_message(
            R"({"jsonrpc":"2.0","id":7,"method":")" + method + R"(","params":)" + params + "}", with);
    }

    support::response call_tool(const std::string& tool, const std::string& arguments,
                                const std::string& with)
    {
        return call_method("tools/call", R"({"name":")" + tool + R"(","arguments":)" + arguments + "}", with);
    }

    /// Call a method as stateless clients do (revision 2026-07-28).
    support::response call_stateless(const std::string& method, const std::string& params,
                                     const header_lines& headers)
    {
        return post_message(R"({"jsonrpc":"2.0","id":7,"method":")" + method + R"(","params":)" + params +
                                "}",
                            token, headers);
    }
};

/// The error code in a failed tool result, or a description of an unexpected response.
inline std::string tool_error(const support::response& answer)
{
    if (answer.status != 200u || json_at(answer, "/result/isError") != "true")
        return "no tool error: " + answer.body;
    support::response problem;
    problem.body = answer.text("/result/content/0/text");
    return problem.code();
}

} // namespace e2e
