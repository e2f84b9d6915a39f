// A browser at the site's own pages: a client with the cookie of its session.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/http.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace e2e {

/// All Set-Cookie headers of a response.
inline std::vector<std::string> cookies_set(const support::response& answer)
{
    std::vector<std::string> out;
    for (auto& header : answer.headers)
        if (header.name() == support::http::field::set_cookie)
            out.emplace_back(header.value());
    return out;
}

/// Has at most one cookie, and sends what pages of the site send.
class page_browser {
public:
    explicit page_browser(std::uint16_t port, std::string from = "127.0.0.1")
        : client(std::make_unique<support::http_client>(port, std::move(from)))
    {
        client->set("Sec-Fetch-Site", "same-origin");
    }

    support::response send(support::http::verb method, std::string_view path, std::string body = {},
                           std::string_view token = {})
    {
        client->set("Cookie", cookie);
        auto answer = client->send(method, path, std::move(body), token);
        for (auto& each : cookies_set(answer)) {
            auto pair = each.substr(0, each.find(';'));
            cookie = pair.ends_with('=') ? "" : pair;
        }
        return answer;
    }

    /// Signs in with an access token. @return the response
    support::response open(const std::string& token)
    {
        return send(support::http::verb::post, "/session", "", token);
    }

    support::response close() { return send(support::http::verb::delete_, "/session"); }

    /// @param workspace empty: without a choice
    support::response ask_token(const std::string& workspace = {})
    {
        auto body = workspace.empty() ? "" : support::object({{"workspace_id", workspace}});
        return send(support::http::verb::post, "/session/token", body);
    }

    /// An access token, which there has to be.
    std::string token(const std::string& workspace = {})
    {
        auto answer = ask_token(workspace);
        BOOST_REQUIRE_MESSAGE(answer.status == 200u, answer.body);
        return answer.text("/access_token");
    }

    std::unique_ptr<support::http_client> client;
    /// `name=value`; empty without one.
    std::string cookie;
};

/// Ada's workspace with one member of each role, and Ada's browser.
struct browser_fixture : team_fixture {
    explicit browser_fixture(const support::environment& settings = {})
        : team_fixture(settings), browser(server.port())
    {}

    /// Another browser of a user who has just logged in.
    page_browser browser_of(const std::string& email)
    {
        page_browser out(server.port());
        auto opened = out.open(log_in(client, email).token);
        BOOST_REQUIRE_MESSAGE(opened.status == 204u, opened.body);
        return out;
    }

    void sign_in()
    {
        auto opened = browser.open(token);
        BOOST_REQUIRE_MESSAGE(opened.status == 204u, opened.body);
    }

    std::string session_of(const std::string& access_token)
    {
        return client.get(base + "/me", access_token).text("/credential/id");
    }

    page_browser browser;
};

} // namespace e2e
