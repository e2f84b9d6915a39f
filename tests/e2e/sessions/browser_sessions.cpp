// Browser sessions: the cookie, the access tokens made from it, and everything that ends it.
#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/browser_session.hpp"
#include "tests/support/forge.hpp"

#include <boost/uuid/string_generator.hpp>

#include <regex>
#include <string>
#include <vector>

using namespace e2e;

namespace {

struct cookie_fixture : browser_fixture {
    using browser_fixture::browser_fixture;

    std::string column(const std::string& name)
    {
        return db.sql("SELECT " + name + " FROM sessions WHERE cookie_digest IS NOT NULL");
    }

    /// The answer to a token request with this Cookie header.
    std::string token_with(const std::string& header)
    {
        page_browser other(server.port());
        other.cookie = header;
        return summary(other.ask_token());
    }

    /// Another workspace of Ada's. @return its id
    std::string another_workspace()
    {
        auto made = client.post(base + "/workspaces", R"({"name":"Second"})", token);
        BOOST_REQUIRE(made.status == 201u);
        return made.text("/id");
    }
};

std::string value_of(const std::string& cookie)
{
    return cookie.substr(cookie.find('=') + 1);
}

/// What a server with this public URL answers to a fresh login: Set-Cookie without the secret, or the code.
std::string answer_at(const std::string& public_url)
{
    account_fixture at({{"LATCHKEY_PUBLIC_URL", public_url}});
    page_browser browser(at.server.port());
    auto opened = browser.open(at.token);
    if (opened.status != 204)
        return summary(opened);
    BOOST_TEST(browser.ask_token().status == 200u);
    auto set = cookies_set(opened);
    BOOST_TEST_REQUIRE(set.size() == 1u);
    return std::regex_replace(set[0], std::regex("=[A-Za-z0-9_-]{43};"), "=…;");
}

} // namespace

BOOST_AUTO_TEST_SUITE(browser_sessions)

BOOST_FIXTURE_TEST_CASE(a_fresh_login_signs_the_browser_in, cookie_fixture)
{
    auto opened = browser.open(token);
    BOOST_TEST(opened.status == 204u);
    BOOST_TEST(opened.header("Cache-Control") == "no-store");
    BOOST_TEST(opened.body.empty());
    auto set = cookies_set(opened);
    BOOST_TEST_REQUIRE(set.size() == 1u);
    std::regex wanted("latchkey=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax");
    BOOST_TEST(std::regex_match(set[0], wanted), set[0]);

    // A session of its own, beside that of the login.
    auto listed = client.get(base + "/sessions", token);
    BOOST_TEST(item_texts(listed, "kind") == (std::vector<std::string>{"browser", "token"}),
               boost::test_tools::per_element());
    BOOST_TEST(listed.text("/items/0/created_at") == listed.text("/items/1/created_at"));
    BOOST_TEST(client.post(base + "/logout", "", token).status == 204u);
    BOOST_TEST(browser.ask_token().status == 200u);
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE cookie_digest = convert_to('" +
                      value_of(browser.cookie) + "', 'UTF8') OR encode(cookie_digest, 'escape') LIKE '%" +
                      value_of(browser.cookie) + "%'") == "0");
}

BOOST_AUTO_TEST_CASE(the_cookie_never_crosses_a_network_in_clear_text)
{
    BOOST_TEST(answer_at("https://id.example.com") ==
               "__Host-latchkey=…; Path=/; HttpOnly; SameSite=Lax; Secure");
    BOOST_TEST(answer_at("https://127.0.0.1/id") ==
               "__Host-latchkey=…; Path=/; HttpOnly; SameSite=Lax; Secure");
    for (auto loopback :
         {"http://localhost:8080", "http://127.8.0.1", "http://[::1]:8080", "http://a.localhost"})
        BOOST_TEST(answer_at(loopback) == "latchkey=…; Path=/; HttpOnly; SameSite=Lax", loopback);
    for (auto elsewhere : {"http://id.example.com", "http://10.0.0.1:8080", "http://localhost.example.com"})
        BOOST_TEST(answer_at(elsewhere) == "403 https_required", elsewhere);
}

BOOST_AUTO_TEST_CASE(only_the_prefixed_cookie_counts_over_https)
{
    account_fixture at({{"LATCHKEY_PUBLIC_URL", "https://id.example.com"}});
    page_browser browser(at.server.port());
    browser.open(at.token);
    browser.cookie = "latchkey=" + value_of(browser.cookie);
    BOOST_TEST(summary(browser.ask_token()) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(a_token_is_as_that_of_a_login, cookie_fixture)
{
    sign_in();
    auto made = browser.ask_token();
    BOOST_TEST(made.status == 200u);
    BOOST_TEST(member_names(made) == "access_token token_type expires_in user workspace role permissions");
    BOOST_TEST(made.text("/token_type") == "bearer");
    BOOST_TEST(json_at(made, "/expires_in") == "3600");
    BOOST_TEST(made.text("/user/id") == user);
    BOOST_TEST(made.text("/workspace/id") == workspace);
    BOOST_TEST(cookies_set(made).empty());
    auto access = made.text("/access_token");
    auto me = client.get(base + "/me", access);
    BOOST_TEST(me.text("/credential/type") == "session");
    BOOST_TEST(json_at(me, "/permissions") == json_at(client.get(base + "/me", token), "/permissions"));
    for (auto member : {"/user", "/workspace", "/role", "/permissions"})
        BOOST_TEST(json_at(made, member) == json_at(me, member));
    BOOST_TEST(json_at(client.get(base + "/sessions", access), "/items/0/current") == "true");
    BOOST_TEST(session_of(browser.token()) == session_of(access)); // one session, many tokens
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_has_to_be_recent, cookie_fixture)
{
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(summary(browser.open(key)) == "403 forbidden");
    BOOST_TEST(summary(browser.open("")) == "401 unauthorized");
    BOOST_TEST(summary(browser.open(support::forge(token, token.size() - 10))) == "401 unauthorized");
    db.sql("UPDATE sessions SET created_at = created_at - interval '301 seconds'");
    BOOST_TEST(summary(browser.open(token)) == "403 reauthentication_required");
    BOOST_TEST(browser.cookie.empty());
}

// Each new session is as old as the sign-in: a stolen token does not stay fresh.
BOOST_FIXTURE_TEST_CASE(a_browser_session_is_as_old_as_its_sign_in, cookie_fixture)
{
    db.sql("UPDATE sessions SET created_at = created_at - interval '200 seconds'");
    sign_in();
    auto first = browser.token();
    BOOST_TEST(browser.open(first).status == 204u); // from the browser's session itself
    BOOST_TEST(summary(client.get(base + "/me", first)) == "401 unauthorized");
    db.sql("UPDATE sessions SET created_at = created_at - interval '101 seconds'");
    BOOST_TEST(summary(browser.open(browser.token())) == "403 reauthentication_required");
    BOOST_TEST(browser.ask_token().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_planted_cookie_is_never_adopted, cookie_fixture)
{
    // Of an attacker's own session, of no session, and no cookie of ours.
    auto planted = browser_of("bob@example.com");
    auto of_bob = planted.token();
    for (auto& cookie :
         {planted.cookie, std::string("latchkey=") + std::string(43, 'A'), std::string("latchkey=planted")}) {
        browser.cookie = cookie;
        BOOST_TEST(browser.open(token).status == 204u);
        BOOST_TEST(browser.cookie != cookie);
        BOOST_TEST(client.get(base + "/me", browser.token()).text("/user/id") == user);
        BOOST_TEST(token_with(cookie) == "401 unauthorized");
    }
    // The one that it replaced has ended, with its tokens, and its user sees it in the audit trail.
    BOOST_TEST(on_all_cores(server, get_request("/me", of_bob)) == "401 unauthorized");
    auto trail = client.get(base + "/audit?action=session.replace", token);
    BOOST_TEST(item_texts(trail, "target").size() == 1u);
    BOOST_TEST(trail.text("/items/0/actor/user_id") == bob.user);
}

BOOST_FIXTURE_TEST_CASE(a_new_sign_in_ends_the_old_one_of_the_browser, cookie_fixture)
{
    sign_in();
    auto old = browser.cookie;
    auto tab = browser.token();
    auto elsewhere = browser_of("ada@example.com");
    sign_in();
    BOOST_TEST(token_with(old) == "401 unauthorized");
    BOOST_TEST(on_all_cores(server, get_request("/me", tab)) == "401 unauthorized");
    BOOST_TEST(elsewhere.ask_token().status == 200u);
    BOOST_TEST(browser.ask_token().status == 200u);
}

// A neighbouring host can set a cookie of the same name, ahead of ours or after it (cookie tossing).
BOOST_FIXTURE_TEST_CASE(two_cookies_are_none, cookie_fixture)
{
    auto of_eve = browser_of("bob@example.com").cookie;
    sign_in();
    auto own = browser.cookie;
    for (auto& both : {own + "; " + of_eve, of_eve + "; " + own, own + "; " + own,
                       own + "; latchkey=", "latchkey=x; " + own, own + ";latchkey=\"\""})
        BOOST_TEST(token_with(both) == "401 unauthorized", both);
    BOOST_TEST(token_with("a=b; " + own + "; c=d") == "200");
    BOOST_TEST(token_with("latchkey_=x; Latchkey=y; " + own + "; __Host-latchkey=z") == "200");
    browser.cookie = of_eve + "; " + own;
    BOOST_TEST(browser.open(token).status == 204u);
    BOOST_TEST(token_with(browser.cookie) == "200");

    // Two header lines.
    support::http::request<support::http::string_body> message(support::http::verb::post, "/session/token",
                                                               11);
    message.set("Sec-Fetch-Site", "same-origin");
    message.insert(support::http::field::cookie, own);
    message.insert(support::http::field::cookie, of_eve);
    BOOST_TEST(client.send(message).status == 401u);

    // Who signs out is signed out.
    BOOST_TEST(token_with(own) == "200");
    browser.cookie = of_eve + "; " + own;
    BOOST_TEST(browser.close().status == 204u);
    BOOST_TEST(token_with(own) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(a_malformed_cookie_is_none, cookie_fixture)
{
    sign_in();
    auto value = value_of(browser.cookie);
    for (auto& wrong :
         {value + "A", value.substr(1), "\"" + value + "\"", support::forge(value, 3), std::string(),
          std::string(5000, 'A'), value + "=", std::string("%00"), std::string("\xff\xfe")})
        BOOST_TEST(token_with("latchkey=" + wrong) == "401 unauthorized", wrong);
    for (auto& wrong : {value, "=" + value, "Latchkey=" + value, "latchkey =" + value, std::string(";;;"),
                        std::string("="), std::string("latchkey")})
        BOOST_TEST(token_with(wrong) == "401 unauthorized", wrong);
}

// The response might overtake the one of a sign-in in another tab, and delete its cookie.
BOOST_FIXTURE_TEST_CASE(a_dead_cookie_is_left, cookie_fixture)
{
    sign_in();
    auto cookie = browser.cookie;
    db.sql_with_invalidation("UPDATE sessions SET revoked_at = now()");
    auto refused = browser.ask_token();
    BOOST_TEST(summary(refused) == "401 unauthorized");
    BOOST_TEST(cookies_set(refused).empty());
    BOOST_TEST(refused.header("WWW-Authenticate").starts_with("Bearer"));
    browser.cookie = "";
    auto without = browser.ask_token();
    BOOST_TEST(summary(without) == "401 unauthorized");
    BOOST_TEST(cookies_set(without).empty());
    browser.cookie = cookie;
    BOOST_TEST(browser.close().status == 204u);
    BOOST_TEST(browser.cookie == "");
    BOOST_TEST(browser.close().status == 204u);
}

BOOST_FIXTURE_TEST_CASE(the_body_is_validated, cookie_fixture)
{
    sign_in();
    auto ask = [&](std::string body) {
        return browser.send(support::http::verb::post, "/session/token", std::move(body));
    };
    BOOST_TEST(ask("{}").status == 200u);
    BOOST_TEST(ask(R"({"workspace_id":null})").status == 200u);
    BOOST_TEST(validation_errors(ask(R"({"workspace_id":"x","scope":"*"})")) ==
               "body.scope extra_forbidden, body.workspace_id uuid_parsing");
    BOOST_TEST(summary(ask("{")) == "400 malformed_json");
    BOOST_TEST(summary(browser.ask_token("01890a5d-ac96-774b-bcce-b302099a8057")) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(tabs_are_in_workspaces_of_their_own, cookie_fixture)
{
    auto second = another_workspace();
    sign_in();
    auto one = browser.token(workspace), other = browser.token(second);
    auto place_of = [&](const std::string& tab) { return client.get(base + "/workspace", tab).text("/id"); };
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(place_of(one) == workspace);
        BOOST_TEST(place_of(other) == second);
    }
    BOOST_TEST(place_of(browser.token()) == workspace); // a token changes nothing for those without a choice
    BOOST_TEST(column("workspace_id") == workspace);
    BOOST_TEST(client.post(base + "/api-keys", R"({"name":"k"})", other).status == 201u);
    BOOST_TEST(item_count(client.get(base + "/api-keys", one)) == 0u);

    // Removed from one of them.
    auto of_bob = browser_of("bob@example.com");
    auto all = item_texts(client.get(base + "/workspaces", bob.token), "id");
    auto home = all.at(0) == workspace ? all.at(1) : all.at(0);
    auto here = of_bob.token(workspace), there = of_bob.token(home);
    BOOST_TEST(client.del(base + "/team/" + bob.user, token).status == 204u);
    BOOST_TEST(on_all_cores(server, get_request("/workspace", here)) == "401 unauthorized");
    BOOST_TEST(on_all_cores(server, get_request("/me", there)) == "200");
    BOOST_TEST(summary(of_bob.ask_token(workspace)) == "404 not_found");
    BOOST_TEST(of_bob.ask_token().text("/workspace/id") == home);
}

BOOST_FIXTURE_TEST_CASE(a_demotion_is_seen_by_all_tabs, cookie_fixture)
{
    auto of_mel = browser_of("mel@example.com");
    auto one = of_mel.token(), other = of_mel.token(workspace);
    auto may_invite = get_request("/team/invites", one), other_may = get_request("/team/invites", other);
    BOOST_TEST(on_all_cores(server, may_invite) == "200");
    BOOST_TEST(on_all_cores(server, other_may) == "200");
    BOOST_TEST(client.patch(base + "/team/" + mel.user, R"({"role":"member"})", token).status == 200u);
    BOOST_TEST(on_all_cores(server, may_invite) == "403 forbidden_scope");
    BOOST_TEST(on_all_cores(server, other_may) == "403 forbidden_scope");
    BOOST_TEST(json_at(client.get(base + "/me", of_mel.token()), "/role") == "\"member\"");
}

BOOST_FIXTURE_TEST_CASE(signing_out_in_one_tab_ends_all, cookie_fixture)
{
    auto second = another_workspace();
    sign_in();
    auto cookie = browser.cookie;
    auto one = browser.token(workspace), other = browser.token(second);
    for (auto& tab : {one, other})
        BOOST_TEST(on_all_cores(server, get_request("/me", tab)) == "200");
    auto closed = browser.close();
    BOOST_TEST(closed.status == 204u);
    BOOST_TEST(cookies_set(closed) ==
                   std::vector<std::string>{"latchkey=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"},
               boost::test_tools::per_element());
    for (auto& tab : {one, other})
        BOOST_TEST(on_all_cores(server, get_request("/me", tab)) == "401 unauthorized");
    BOOST_TEST(token_with(cookie) == "401 unauthorized");
    BOOST_TEST(client.get(base + "/me", token).status == 200u); // the login's session

    // By the access token of a tab.
    sign_in();
    auto tab = browser.token();
    BOOST_TEST(client.post(base + "/logout", "", tab).status == 204u);
    BOOST_TEST(browser.ask_token().status == 401u);
}

BOOST_FIXTURE_TEST_CASE(it_ends_as_other_sessions_do, cookie_fixture)
{
    auto ended = [&](page_browser& each) { return each.ask_token().status == 401u; };
    auto one = browser_of("ada@example.com"), other = browser_of("ada@example.com");
    auto tab = one.token();
    auto change =
        support::object({{"current_password", "long enough"}, {"new_password", "quite another one"}});
    BOOST_TEST(client.post(base + "/password/change", change, tab).status == 204u);
    BOOST_TEST(ended(other));
    BOOST_TEST(!ended(one)); // the caller's
    BOOST_TEST(client.get(base + "/me", tab).status == 200u);
    BOOST_TEST(client.get(base + "/me", token).status == 401u);

    // All others, from a browser.
    auto again = client.post(base + "/login", credentials("ada@example.com", "quite another one"));
    BOOST_TEST(other.open(again.text("/access_token")).status == 204u);
    BOOST_TEST(client.del(base + "/sessions", one.token()).status == 204u);
    BOOST_TEST(ended(other));
    BOOST_TEST(!ended(one));
    BOOST_TEST(client.get(base + "/me", again.text("/access_token")).status == 401u);

    // One of them, by its id.
    auto id = session_of(one.token());
    auto last = client.post(base + "/login", credentials("ada@example.com", "quite another one"));
    BOOST_TEST(client.del(base + "/sessions/" + id, last.text("/access_token")).status == 204u);
    BOOST_TEST(ended(one));
}

BOOST_FIXTURE_TEST_CASE(a_reset_and_a_disabled_account_end_it, cookie_fixture)
{
    sign_in();
    auto tab = browser.token();
    BOOST_TEST(on_all_cores(server, get_request("/me", tab)) == "200");
    auto reset = crypto::make_one_time_token();
    db.sql("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES ('" + user +
           "', 'reset_password', sha256('" + reset.text +
           "'), 'ada@example.com', now() + interval '1 hour')");
    auto body = support::object({{"token", reset.text}, {"password", "quite another one"}});
    BOOST_TEST(client.post(base + "/password/reset", body).status == 204u);
    BOOST_TEST(on_all_cores(server, get_request("/me", tab)) == "401 unauthorized");
    BOOST_TEST(summary(browser.ask_token()) == "401 unauthorized");

    auto of_bob = browser_of("bob@example.com");
    auto cookie = of_bob.cookie;
    db.sql_with_invalidation("UPDATE users SET disabled_at = now() WHERE id = '" + bob.user + "'");
    BOOST_TEST(summary(of_bob.ask_token()) == "403 account_disabled");
    db.sql_with_invalidation("UPDATE sessions SET revoked_at = now() WHERE user_id = '" + bob.user + "'");
    BOOST_TEST(token_with(cookie) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(use_extends_it_up_to_its_maximum_age, cookie_fixture)
{
    sign_in();
    auto cookie = browser.cookie;
    db.sql("UPDATE sessions SET expires_at = now() + interval '1 minute', "
           "last_seen_at = now() - interval '1 day'");
    auto short_lived = client.get(base + "/me", token); // does not extend it
    BOOST_TEST(short_lived.status == 200u);
    BOOST_TEST(column("expires_at < now() + interval '2 minutes'") == "t");
    BOOST_TEST(browser.ask_token().status == 200u);
    BOOST_TEST(
        column("expires_at > now() + interval '29 days' AND last_seen_at > now() - interval '1 minute'") ==
        "t");
    db.sql("UPDATE sessions SET created_at = now() - interval '90 days' + interval '10 seconds'");
    auto last = browser.ask_token();
    BOOST_TEST(last.status == 200u);
    BOOST_TEST(std::stoi(json_at(last, "/expires_in")) <= 10);
    db.sql("UPDATE sessions SET created_at = now() - interval '91 days'");
    BOOST_TEST(token_with(cookie) == "401 unauthorized");
    db.sql("UPDATE sessions SET created_at = now(), expires_at = now()");
    BOOST_TEST(token_with(cookie) == "401 unauthorized");
}

BOOST_AUTO_TEST_CASE(tokens_count_for_the_session)
{
    browser_fixture at({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    page_browser one(at.server.port(), "127.0.0.21"), other(at.server.port(), "127.0.0.21");
    support::http_client elsewhere(at.server.port(), "127.0.0.22");
    BOOST_TEST(one.open(log_in(elsewhere, "ada@example.com").token).status == 204u);
    BOOST_TEST(other.open(log_in(elsewhere, "ada@example.com").token).status == 204u);
    auto asked = [](page_browser& from) {
        unsigned passed = 0;
        for (int i = 0; i < 30; ++i)
            passed += from.ask_token().status == 200;
        return passed;
    };
    BOOST_TEST(asked(one) == 20u);
    auto over = one.ask_token();
    BOOST_TEST(summary(over) == "429 rate_limited");
    BOOST_TEST(!over.header("Retry-After").empty());
    BOOST_TEST(cookies_set(over).empty());
    BOOST_TEST(summary(one.client->get(base + "/me", "a.b.c")) == "401 unauthorized"); // not for the address

    // Made-up cookies count for the address, and a session is found all the same.
    page_browser guessing(at.server.port(), "127.0.0.21");
    std::string last;
    for (int i = 0; i < 30; ++i) {
        guessing.cookie = "latchkey=" + crypto::make_one_time_token().text;
        last = summary(guessing.ask_token());
    }
    BOOST_TEST(last == "429 rate_limited");
    BOOST_TEST(asked(other) == 20u);
}

BOOST_AUTO_TEST_CASE(an_unverified_account_gets_no_token_where_verification_is_required)
{
    browser_fixture at({});
    at.sign_in();
    support::running_server strict(at.db.conninfo(), {{"LATCHKEY_MASTER_KEY", at.server.master_key()},
                                                      {"LATCHKEY_EMAIL_VERIFICATION", "required"}});
    page_browser there(strict.port());
    there.cookie = at.browser.cookie;
    BOOST_TEST(summary(there.ask_token()) == "403 email_not_verified");
    verify_address(at.db, "ada@example.com");
    BOOST_TEST(there.ask_token().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_user_without_a_workspace_has_a_browser_session, cookie_fixture)
{
    auto zoe = sign_up(client, "zoe@example.com");
    db.sql_with_invalidation("DELETE FROM memberships WHERE user_id = '" + zoe.user + "'");
    auto of_zoe = browser_of("zoe@example.com");
    auto made = of_zoe.ask_token();
    BOOST_TEST(made.status == 200u);
    BOOST_TEST(json_at(made, "/workspace") == "null");
    BOOST_TEST(client.get(base + "/workspaces", made.text("/access_token")).status == 200u);
    db.sql_with_invalidation("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace +
                             "', '" + zoe.user + "', 'member')");
    BOOST_TEST(of_zoe.ask_token().text("/workspace/id") == workspace);
}

// Nothing that can be made of its id is one.
BOOST_FIXTURE_TEST_CASE(it_has_no_refresh_token, cookie_fixture)
{
    sign_in();
    auto id = boost::uuids::string_generator()(session_of(browser.token()));
    std::vector<std::uint8_t> forged(id.begin(), id.end());
    forged.resize(16 + 8 + 32);
    auto body = support::object({{"refresh_token", crypto::to_base64url(forged)}});
    BOOST_TEST(summary(client.post(base + "/token/refresh", body)) == "401 unauthorized");
    support::http::request<support::http::string_body> revoke(support::http::verb::post, base + "/revoke",
                                                              11);
    revoke.set(support::http::field::content_type, "application/x-www-form-urlencoded");
    revoke.body() = "token=" + crypto::to_base64url(forged);
    BOOST_TEST(client.send(revoke).status == 200u);
    BOOST_TEST(browser.ask_token().status == 200u);
}

BOOST_AUTO_TEST_CASE(signing_out_ends_it_on_every_node)
{
    browser_fixture at({});
    support::running_server second(at.db.conninfo(), {{"LATCHKEY_MASTER_KEY", at.server.master_key()}});
    at.sign_in();
    page_browser there(second.port());
    there.cookie = at.browser.cookie;
    auto tab = there.token();
    BOOST_TEST(on_all_cores(second, get_request("/me", tab)) == "200");
    BOOST_TEST(at.browser.close().status == 204u);
    BOOST_TEST(on_all_cores(second, get_request("/me", tab)) == "401 unauthorized");
    BOOST_TEST(there.ask_token().status == 401u);
}

BOOST_AUTO_TEST_SUITE_END()
