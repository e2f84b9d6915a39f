// Speaking to /mcp by hand.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>
#include <utility>
#include <vector>

namespace flows {

using header_lines = std::vector<std::pair<std::string, std::string>>;

/// Ada's workspace with one of each role, and what agents of theirs would send.
struct agents : team {
    using team::team;

    support::response speak(const std::string& body, const std::string& with, const header_lines& more = {})
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

    /// A method's call, in the way of those who shake hands.
    support::response ask(const std::string& method, const std::string& params, const std::string& with)
    {
        return speak(R"({"jsonrpc":"2.0","id":7,"method":")" + method + R"(","params":)" + params + "}",
                     with);
    }

    support::response use(const std::string& tool, const std::string& arguments, const std::string& with)
    {
        return ask("tools/call", R"({"name":")" + tool + R"(","arguments":)" + arguments + "}", with);
    }

    /// A method's call, in the way of 2026-07-28.
    support::response ask_statelessly(const std::string& method, const std::string& params,
                                      const header_lines& headers)
    {
        return speak(R"({"jsonrpc":"2.0","id":7,"method":")" + method + R"(","params":)" + params + "}",
                     token, headers);
    }
};

/// The problem that a tool was refused with: its code, or what is odd about it.
inline std::string refusal_of(const support::response& answer)
{
    if (answer.status != 200u || at(answer, "/result/isError") != "true")
        return "no refusal: " + answer.body;
    support::response told;
    told.body = answer.text("/result/content/0/text");
    return told.code();
}

} // namespace flows
