// Cross-site request forgery: what a browser sends from which page, and which of it a call for the site's own
// pages accepts.
#include "handlers/routes.hpp"
#include "tests/e2e/support/browser_session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace e2e;

namespace {

using lines = std::vector<std::string>;

const std::string own_origin = "http://127.0.0.1:8080";
const std::string app_origin = "https://app.example";

/// The lines of Sec-Fetch-Site: none, one or several.
const lines fetch_sites[] = {{},
                             {"same-origin"},
                             {"same-site"},
                             {"cross-site"},
                             {"none"},
                             {""},
                             {"Same-Origin"},
                             {"same-origin, cross-site"},
                             {"same-origin", "cross-site"},
                             {"cross-site", "same-origin"},
                             {"same-origin", "same-origin"}};
/// The lines of Origin.
const lines origins[] = {{},
                         {own_origin},
                         {"null"},
                         {"https://evil.example"},
                         {app_origin},
                         {""},
                         {"https://127.0.0.1:8080"},
                         {"http://127.0.0.1"},
                         {"http://127.0.0.1:8081"},
                         {"http://localhost:8080"},
                         {own_origin + "/"},
                         {own_origin + ".evil.example"},
                         {"HTTP://127.0.0.1:8080"},
                         {own_origin + " https://evil.example"},
                         {own_origin, "https://evil.example"},
                         {"https://evil.example", own_origin}};

struct body_type {
    std::string_view content_type, content;
};
const body_type bodies[] = {{"", ""},
                            {"application/json", "{}"},
                            {"text/plain", "{}"},
                            {"application/x-www-form-urlencoded", "a=b"},
                            {"multipart/form-data; boundary=x", "--x--"}};

std::string describe(const lines& all)
{
    std::string out = std::to_string(all.size()) + ":";
    for (auto& line : all)
        out += " '" + line + "'";
    return out;
}

/// What a page of this site sends, and none of another.
bool is_own(const lines& fetch_site, const lines& origin)
{
    return fetch_site.empty() ? origin == lines{own_origin} : fetch_site == lines{"same-origin"};
}

struct csrf_fixture : browser_fixture {
    csrf_fixture()
        : browser_fixture({{"LATCHKEY_PUBLIC_URL", own_origin}, {"LATCHKEY_CORS_ORIGINS", app_origin}})
    {
        client.skip_recording(); // repetitions
    }

    support::response send(const handlers::route& line, const lines& fetch_site, const lines& origin,
                           const body_type& body, const std::string& cookie)
    {
        namespace http = support::http;
        http::request<http::string_body> message(line.method, line.path, 11);
        for (auto& each : fetch_site)
            message.insert(http::field::sec_fetch_site, each);
        for (auto& each : origin)
            message.insert(http::field::origin, each);
        if (!cookie.empty())
            message.set(http::field::cookie, cookie);
        if (!body.content_type.empty())
            message.set(http::field::content_type, body.content_type);
        message.body() = body.content;
        message.set(http::field::authorization, "Bearer " + token);
        return client.send(std::move(message));
    }

    std::string sessions()
    {
        return db.sql("SELECT string_agg(id || ' ' || coalesce(revoked_at::text, '') || expires_at, ',' "
                      "ORDER BY id) FROM sessions");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(same_origin)

BOOST_FIXTURE_TEST_CASE(a_request_of_another_site_is_refused, csrf_fixture)
{
    sign_in();
    auto before = sessions();
    int refused = 0;
    for (auto& line : handlers::all_routes()) {
        if (!line.guard.needs_same_origin)
            continue;
        for (auto& fetch_site : fetch_sites)
            for (auto& origin : origins)
                for (auto& body : bodies) {
                    if (is_own(fetch_site, origin))
                        continue;
                    auto answer = send(line, fetch_site, origin, body, browser.cookie);
                    BOOST_TEST((answer.status == 403 && answer.code() == "cross_site_request"),
                               line.path << " Sec-Fetch-Site " << describe(fetch_site) << " Origin "
                                         << describe(origin) << ": " << answer.status << " " << answer.body);
                    BOOST_TEST(cookies_set(answer).empty());
                    BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "");
                    ++refused;
                }
    }
    BOOST_TEST(refused > 2000);
    BOOST_TEST(sessions() == before); // nothing was changed
}

BOOST_FIXTURE_TEST_CASE(a_request_of_an_own_page_passes, csrf_fixture)
{
    for (auto& line : handlers::all_routes()) {
        if (!line.guard.needs_same_origin)
            continue;
        for (auto& fetch_site : fetch_sites)
            for (auto& origin : origins)
                for (auto& body : bodies) {
                    if (!is_own(fetch_site, origin))
                        continue;
                    auto answer = send(line, fetch_site, origin, body, "");
                    BOOST_TEST(answer.code() != "cross_site_request",
                               line.path << " Sec-Fetch-Site " << describe(fetch_site) << " Origin "
                                         << describe(origin) << ": " << answer.body);
                    BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "");
                }
    }
    sign_in();
    BOOST_TEST(browser.ask_token().status == 200u);
}

// An origin of the operator's allow-list may call the API, but not act for the browser.
BOOST_FIXTURE_TEST_CASE(no_preflight_of_another_site_passes, csrf_fixture)
{
    client.set("Origin", app_origin);
    client.set("Access-Control-Request-Method", "POST");
    client.set("Access-Control-Request-Headers", "content-type");
    for (auto& line : handlers::all_routes()) {
        if (line.path.find('{') != line.path.npos || line.method == support::http::verb::unknown)
            continue;
        auto answer = client.send(support::http::verb::options, line.path, "", "");
        BOOST_TEST(answer.status == 204u, line.path);
        bool is_shared = true;
        for (auto& other : handlers::all_routes())
            is_shared = is_shared && (other.path != line.path || !other.guard.needs_same_origin);
        for (auto header :
             {"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"})
            BOOST_TEST(answer.header(header).empty() != is_shared, line.path << " " << header);
        BOOST_TEST(answer.header("Access-Control-Allow-Credentials") == "");
    }
}

BOOST_FIXTURE_TEST_CASE(refusals_count_for_the_address, csrf_fixture)
{
    support::running_server limited(db.conninfo(), {{"LATCHKEY_MASTER_KEY", server.master_key()},
                                                    {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "10"}});
    support::http_client from(limited.port(), "127.0.0.31");
    from.set("Sec-Fetch-Site", "cross-site");
    unsigned refused = 0;
    for (int i = 0; i < 20; ++i)
        refused += from.post("/session/token", "{}").code() == "cross_site_request";
    BOOST_TEST(refused == 10u);
    BOOST_TEST(from.post("/session/token", "{}").code() == "rate_limited");
}

BOOST_AUTO_TEST_SUITE_END()
