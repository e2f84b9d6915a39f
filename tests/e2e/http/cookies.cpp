// The API never reads a cookie: with that of a browser's session, every call is answered as without.
#include "handlers/routes.hpp"
#include "tests/e2e/support/browser_session.hpp"

#include <algorithm>
#include <iterator>
#include <regex>
#include <string>
#include <string_view>

using namespace e2e;

namespace {

/// The calls of the site's own pages, and the pages that know who is signed in.
bool reads_the_cookie(const handlers::route& line)
{
    constexpr std::string_view readers[] = {"/session", "/session/token",  "/sign-in",
                                            "/sign-up", "/sign-out",       "/verify",
                                            "/invite",  "/sign-in/google", "/sign-in/google/done"};
    return std::ranges::find(readers, line.path) != std::end(readers);
}

/// Their bodies differ between any two calls.
bool measures(const handlers::route& line)
{
    return line.path == "/metrics";
}

std::string path_of(const handlers::route& line)
{
    std::string out(line.path);
    for (auto open = out.find('{'); open != out.npos; open = out.find('{'))
        out.replace(open, out.find('}', open) + 1 - open, "aaaaaaaa");
    return out;
}

struct cookie_fixture : browser_fixture {
    cookie_fixture()
    {
        sign_in();
        client.set("Sec-Fetch-Site", "same-origin");
    }

    support::response send(const handlers::route& line, const std::string& body, const std::string& with,
                           const std::string& cookie)
    {
        client.set("Cookie", cookie);
        auto method = line.method == support::http::verb::unknown ? support::http::verb::get : line.method;
        auto answer = client.send(method, path_of(line), body, with);
        if (measures(line)) {
            answer.body.clear();
            answer.headers.erase(support::http::field::content_length);
        }
        // Written every few seconds.
        answer.body = std::regex_replace(answer.body, std::regex("\"last_seen_at\":\"[^\"]*\""), "");
        return answer;
    }

    /// Everything but what any request changes.
    std::string stored()
    {
        return db.sql("SELECT string_agg(line, E'\\n' ORDER BY line) FROM ("
                      "SELECT (to_jsonb(s) - 'last_seen_at')::text AS line FROM sessions s UNION ALL "
                      "SELECT to_jsonb(u)::text FROM users u UNION ALL "
                      "SELECT to_jsonb(k)::text FROM api_keys k UNION ALL "
                      "SELECT to_jsonb(m)::text FROM memberships m) AS rows");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cookies)

BOOST_FIXTURE_TEST_CASE(no_other_route_reads_the_cookie, cookie_fixture)
{
    auto before = stored();
    std::string bad_key = "tnx_aaaaaaaa_00000000000000000000000000000000000000";
    int compared = 0;
    for (auto& line : handlers::all_routes()) {
        if (reads_the_cookie(line))
            continue;
        for (auto& with : {std::string(), bad_key})
            for (auto body : {"", "{}"}) {
                auto plain = send(line, body, with, "");
                auto cookie = send(line, body, with, browser.cookie);
                auto secure = send(line, body, with,
                                   "__Host-latchkey=" + browser.cookie.substr(browser.cookie.find('=') + 1));
                BOOST_TEST(normalized(plain) == normalized(cookie), line.path << " " << body);
                BOOST_TEST(normalized(plain) == normalized(secure), line.path << " " << body);
                BOOST_TEST(cookies_set(cookie).empty(), line.path);
                ++compared;
            }
    }
    BOOST_TEST(compared > 250);
    BOOST_TEST(stored() == before);
    BOOST_TEST(browser.ask_token().status == 200u); // the cookie is alive
}

// Beside a credential it changes nothing either: the caller is the one of the credential.
BOOST_FIXTURE_TEST_CASE(a_cookie_beside_a_credential_is_not_read, cookie_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    for (auto& line : handlers::all_routes()) {
        if (line.method != support::http::verb::get || reads_the_cookie(line))
            continue;
        auto plain = send(line, "", eve.token, "");
        auto cookie = send(line, "", eve.token, browser.cookie);
        BOOST_TEST(normalized(plain) == normalized(cookie), line.path);
    }
    BOOST_TEST(browser.ask_token().text("/user/id") == user);
}

BOOST_AUTO_TEST_SUITE_END()
