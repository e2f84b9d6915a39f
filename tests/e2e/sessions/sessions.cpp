// Session management: list, end one, end all others, log out.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/forge.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

std::size_t occurrences(const std::string& text, std::string_view part)
{
    std::size_t out = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++out;
    return out;
}

struct sessions_fixture : two_workspaces_fixture {
    std::string session_of(const std::string& credential)
    {
        return client.get(base + "/me", credential).text("/credential/id");
    }

    support::response list(const std::string& query = "")
    {
        return client.get(base + "/sessions" + query, token);
    }

    /// The ids on every page of the list.
    std::vector<std::string> all_by_pages_of(int limit)
    {
        std::vector<std::string> out;
        std::string query = "?limit=" + std::to_string(limit);
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            auto ids = item_texts(page, "id");
            out.insert(out.end(), ids.begin(), ids.end());
            if (json_at(page, "/next_cursor") == "null")
                return out;
        }
    }

    std::string refresh(const std::string& refresh_token)
    {
        auto body = support::object({{"refresh_token", refresh_token}});
        return std::to_string(client.post(base + "/token/refresh", body).status);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(sessions)

BOOST_FIXTURE_TEST_CASE(sessions_are_listed_newest_first, sessions_fixture)
{
    client.set("User-Agent", "engine/2");
    support::http_client elsewhere(server.port(), "127.0.0.5");
    elsewhere.set("User-Agent", "engine/3");
    auto second = log_in(client, "ada@example.com");
    std::this_thread::sleep_for(
        std::chrono::milliseconds(2)); // ids of two cores are unordered within a millisecond
    auto third = log_in(elsewhere, "ada@example.com");
    client.set("User-Agent", "engine/4"); // not the agent of a login

    auto all = list();
    BOOST_TEST(all.status == 200u);
    BOOST_TEST(member_names(all) == "items next_cursor total");
    BOOST_TEST(json_at(all, "/next_cursor") == "null");
    BOOST_TEST(json_at(all, "/total") == "3");
    BOOST_TEST(member_names(all, "/items/0") == "id created_at last_seen_at ip user_agent current kind");
    BOOST_TEST(item_texts(all, "id") ==
                   (std::vector{session_of(third.token), session_of(second.token), session_of(token)}),
               boost::test_tools::per_element());
    BOOST_TEST(item_texts(all, "ip") == (std::vector<std::string>{"127.0.0.5", "127.0.0.1", "127.0.0.1"}),
               boost::test_tools::per_element());
    BOOST_TEST(item_texts(all, "user_agent") == (std::vector<std::string>{"engine/3", "engine/2", ""}),
               boost::test_tools::per_element());
    for (auto item : {"/items/0", "/items/1", "/items/2"}) {
        BOOST_TEST(is_uuid_v7(all.text(item + std::string("/id"))));
        BOOST_TEST(is_recent(all.text(item + std::string("/created_at"))));
        BOOST_TEST(is_recent(all.text(item + std::string("/last_seen_at"))));
    }
    BOOST_TEST(json_at(all, "/items/0/current") == "false");
    BOOST_TEST(json_at(all, "/items/1/current") == "false");
    BOOST_TEST(json_at(all, "/items/2/current") == "true");
    BOOST_TEST(item_count(client.get(base + "/sessions", eve.token)) == 1u);
}

BOOST_FIXTURE_TEST_CASE(lists_are_paginated, sessions_fixture)
{
    for (int i = 0; i < 4; ++i)
        log_in(client, "ada@example.com");
    auto whole = item_texts(list(), "id");
    BOOST_TEST(whole.size() == 5u);
    for (int limit : {1, 2, 4, 5, 6})
        BOOST_TEST(all_by_pages_of(limit) == whole, boost::test_tools::per_element());
    auto first = list("?limit=2");
    BOOST_TEST(item_count(first) == 2u);
    BOOST_TEST(json_at(first, "/total") == "5");
    BOOST_TEST(first.text("/next_cursor")
                   .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                                      "wxyz0123456789-_") == std::string::npos);
    BOOST_TEST(json_at(list("?limit=5"), "/next_cursor") == "null");
}

BOOST_FIXTURE_TEST_CASE(changes_between_pages_do_not_disturb_pagination, sessions_fixture)
{
    for (int i = 0; i < 4; ++i)
        log_in(client, "ada@example.com");
    auto whole = item_texts(list(), "id");
    auto first = list("?limit=2");
    log_in(client, "ada@example.com");
    BOOST_TEST(client.del(base + "/sessions/" + whole[0], token).status == 204u);
    BOOST_TEST(client.del(base + "/sessions/" + whole[1], token).status == 204u); // the next page starts here
    BOOST_TEST(client.del(base + "/sessions/" + whole[3], token).status == 204u);
    auto second = list("?limit=2&cursor=" + first.text("/next_cursor"));
    BOOST_TEST(item_texts(second, "id") == (std::vector{whole[2], whole[4]}),
               boost::test_tools::per_element());
    BOOST_TEST(json_at(second, "/next_cursor") == "null");
}

BOOST_FIXTURE_TEST_CASE(a_cursor_is_bound_to_its_list, sessions_fixture)
{
    log_in(client, "ada@example.com");
    log_in(client, "eve@example.net");
    add_member(*this, "bob@example.com", "admin");
    auto bob = log_in(client, "bob@example.com");
    mint(R"({"name":"a"})");
    mint(R"({"name":"b"})");
    auto mine = list("?limit=1").text("/next_cursor");
    BOOST_TEST(list("?cursor=" + mine).status == 200u);
    auto of_eve = client.get(base + "/sessions?limit=1", eve.token).text("/next_cursor");
    auto of_bob = client.get(base + "/sessions?limit=1", bob.token).text("/next_cursor");
    auto of_keys = client.get(base + "/api-keys?limit=1", token).text("/next_cursor");
    auto forged = support::forge(mine, 5);
    BOOST_TEST(!of_eve.empty());
    BOOST_TEST(!of_bob.empty());
    BOOST_TEST(!of_keys.empty());
    for (auto& cursor : {of_eve, of_bob, of_keys, forged, mine + "A", mine.substr(1), std::string(),
                         std::string("x"), std::string("%F0%9F%94%91"), session_of(token)}) {
        auto refused = list("?cursor=" + cursor);
        BOOST_TEST(refused.status == 400u, cursor);
        BOOST_TEST(refused.code() == "invalid_cursor", cursor);
    }
}

BOOST_FIXTURE_TEST_CASE(a_limit_is_a_positive_integer, sessions_fixture)
{
    for (auto limit : {"0", "-1"})
        BOOST_TEST(validation_errors(list("?limit=" + std::string(limit))) ==
                   "query.limit greater_than_equal");
    for (auto limit : {"", "many", "1.5", "1e1", "%2B1", "0x1", "1%20"})
        BOOST_TEST(validation_errors(list("?limit=" + std::string(limit))) == "query.limit int_parsing",
                   limit);
    BOOST_TEST(validation_errors(list("?limit=1&limit=2")) == "query.limit repeated");
    for (auto limit : {"1", "200", "201", "99999999999999999999999"})
        BOOST_TEST(list("?limit=" + std::string(limit)).status == 200u, limit);
    BOOST_TEST(list("?limit=1&page=7").status == 200u);
    BOOST_TEST(list("?limit=%zz").code() == "bad_request");
    BOOST_TEST(list("?cursor=%ff").code() == "bad_request");
}

BOOST_FIXTURE_TEST_CASE(an_ended_session_invalidates_both_tokens, sessions_fixture)
{
    auto other = log_in(client, "ada@example.com");
    auto id = session_of(other.token);
    std::deque<support::http_client> clients; // enough connections for every core
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(clients.emplace_back(server.port()).get(base + "/auth", other.token).status == 200u);

    auto ended = client.del(base + "/sessions/" + id, token);
    BOOST_TEST(ended.status == 204u);
    BOOST_TEST(ended.body.empty());
    for (auto& one : clients)
        BOOST_TEST(one.get(base + "/auth", other.token).code() == "unauthorized");
    BOOST_TEST(refresh(other.refresh_token) == "401");
    BOOST_TEST(item_texts(list(), "id") == std::vector{session_of(token)}, boost::test_tools::per_element());
    BOOST_TEST(client.del(base + "/sessions/" + id, token).status == 204u);
    BOOST_TEST(db.sql("SELECT string_agg(target || ' ' || actor_id, ',') FROM audit WHERE action = "
                      "'session.end'") == id + " " + user);
}

BOOST_FIXTURE_TEST_CASE(a_session_can_end_itself, sessions_fixture)
{
    BOOST_TEST(client.del(base + "/sessions/" + session_of(token), token).status == 204u);
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_session_of_another_user_is_not_found, sessions_fixture)
{
    auto bob = add_member(*this, "bob@example.com", "member"); // admins cannot end sessions of members
    for (auto& id :
         {session_of(eve.token), session_of(bob.token), std::string("01890a5d-ac96-774b-bcce-b302099a8057"),
          std::string("nonsense"), std::string("%00"), std::string("%F0%9F%94%91"), std::string(300, 'a')}) {
        auto answer = client.del(base + "/sessions/" + id, token);
        BOOST_TEST(answer.status == 404u, id);
        BOOST_TEST(answer.code() == "not_found", id);
    }
    BOOST_TEST(client.get(base + "/me", eve.token).status == 200u);
    BOOST_TEST(client.get(base + "/me", bob.token).status == 200u);
    BOOST_TEST(client.del(base + "/sessions/", token).status == 404u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(all_other_sessions_can_be_ended, sessions_fixture)
{
    std::vector<person> others;
    for (int i = 0; i < 3; ++i)
        others.push_back(log_in(client, "ada@example.com"));
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(client.del(base + "/sessions", token).status == 204u);
    for (auto& other : others) {
        BOOST_TEST(client.get(base + "/me", other.token).status == 401u);
        BOOST_TEST(refresh(other.refresh_token) == "401");
    }
    for (auto& valid : {token, key, eve.token})
        BOOST_TEST(client.get(base + "/me", valid).status == 200u);
    BOOST_TEST(refresh(refresh_token) == "200");
    BOOST_TEST(client.del(base + "/sessions", token).status == 204u);
}

BOOST_AUTO_TEST_CASE(a_session_ends_at_its_maximum_age_however_often_it_is_refreshed)
{
    two_workspaces_fixture fixture({{"LATCHKEY_SESSION_MAX_AGE", "100000"}});
    auto& client = fixture.client;
    auto refresh = [&](const std::string& with) {
        return client.post(base + "/token/refresh", support::object({{"refresh_token", with}}));
    };
    auto age = [&](const std::string& seconds) {
        fixture.db.sql("UPDATE sessions SET created_at = now() - interval '" + seconds + " seconds'");
    };
    age("98000");
    auto renewed = refresh(fixture.refresh_token);
    BOOST_TEST(renewed.status == 200u);
    auto left = std::stoi(json_at(renewed, "/expires_in"));
    BOOST_TEST((left <= 2000 && left > 1900), left);
    auto claims = jwt_part(renewed.text("/access_token"), 1).json();
    BOOST_TEST(claims.at("exp").as_int64() - claims.at("iat").as_int64() == left);
    auto switched =
        client.post(base + "/workspaces/" + fixture.workspace + "/switch", "", renewed.text("/access_token"));
    BOOST_TEST(std::stoi(json_at(switched, "/expires_in")) <= left);
    BOOST_TEST(fixture.db.sql("SELECT expires_at - created_at = interval '100000 seconds' FROM sessions "
                              "WHERE user_id = '" +
                              fixture.user + "'") == "t");

    age("100001"); // the tokens of Eve have not been used yet, so that no core has them cached
    BOOST_TEST(summary(client.get(base + "/me", fixture.eve.token)) == "401 token_expired");
    BOOST_TEST(summary(refresh(fixture.eve.refresh_token)) == "401 unauthorized");
    BOOST_TEST(summary(refresh(renewed.text("/refresh_token"))) == "401 unauthorized");
    BOOST_TEST(summary(client.post(base + "/login", credentials("eve@example.net"))) == "200");
}

BOOST_AUTO_TEST_CASE(ended_sessions_are_deleted_after_their_retention)
{
    two_workspaces_fixture fixture({{"LATCHKEY_SESSION_RETENTION", "100000"}});
    auto& db = fixture.db;
    auto count = [&](const std::string& email) {
        return db.sql("SELECT count(*) FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = '" +
                      email + "')");
    };
    auto end = [&](const std::string& email, const std::string& column, const std::string& seconds) {
        db.sql("UPDATE sessions SET " + column + " = now() - interval '" + seconds +
               " seconds' WHERE user_id = (SELECT id FROM users WHERE email = '" + email + "')");
    };
    end("ada@example.com", "revoked_at", "100001");
    end("eve@example.net", "revoked_at", "99000");
    db.sql("UPDATE retention_sweeps SET next_at = now()");
    BOOST_TEST(support::eventually([&] { return count("ada@example.com") == "0"; }));
    BOOST_TEST(count("eve@example.net") == "1");
    BOOST_TEST(summary(fixture.client.get(base + "/me", fixture.token)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(logout_ends_the_session_of_the_token, sessions_fixture)
{
    auto other = log_in(client, "ada@example.com");
    auto out = client.post(base + "/logout", "", token);
    BOOST_TEST(out.status == 204u);
    BOOST_TEST(out.body.empty());
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
    BOOST_TEST(client.post(base + "/logout", "", token).status == 401u);
    BOOST_TEST(refresh(refresh_token) == "401");
    BOOST_TEST(client.get(base + "/me", other.token).status == 200u);
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'session.logout'") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_key_cannot_log_out, sessions_fixture)
{
    auto key = mint(R"({"name":"k"})");
    auto refused = client.post(base + "/logout", "", key);
    BOOST_TEST(refused.status == 400u);
    BOOST_TEST(refused.code() == "not_a_session");
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
    auto of_workspace = mint(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(client.post(base + "/logout", "", of_workspace).code() == "not_a_session");
}

BOOST_FIXTURE_TEST_CASE(a_key_manages_its_owners_sessions_within_its_scopes, sessions_fixture)
{
    auto other = log_in(client, "ada@example.com");
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    auto listed = client.get(base + "/sessions", reader);
    BOOST_TEST(item_count(listed) == 2u);
    BOOST_TEST(listed.body.find("\"current\":true") == std::string::npos);
    auto refused = client.del(base + "/sessions/" + session_of(other.token), reader);
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.text("/required") == "profile:write");

    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(client.get(base + "/sessions", writer).text("/required") == "profile:read");
    BOOST_TEST(client.del(base + "/sessions/" + session_of(other.token), writer).status == 204u);
    BOOST_TEST(client.del(base + "/sessions", writer).status == 204u); // a key has no session of its own
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_has_no_sessions, sessions_fixture)
{
    auto key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    for (auto& answer : {client.get(base + "/sessions", key), client.del(base + "/sessions", key),
                         client.del(base + "/sessions/" + session_of(token), key)}) {
        BOOST_TEST(answer.status == 403u);
        BOOST_TEST(answer.code() == "forbidden");
    }
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(user_agents_are_sanitized_and_truncated, sessions_fixture)
{
    client.set("User-Agent", "caf\xC3\xA9 \xFF" + std::string(1000, 'x'));
    log_in(client, "ada@example.com");
    auto shown = item_texts(list(), "user_agent").front();
    BOOST_TEST(shown.starts_with("caf\u00E9 \uFFFDxxx"));
    BOOST_TEST(shown.size() == 256u);
}

BOOST_AUTO_TEST_CASE(the_client_address_comes_from_a_trusted_proxy)
{
    account_fixture fixture({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"}});
    auto ip_of_login = [&](const std::string& forwarded) {
        fixture.client.set("X-Forwarded-For", forwarded);
        auto session = log_in(fixture.client, "ada@example.com");
        return item_texts(fixture.client.get(base + "/sessions?limit=1", session.token), "ip").front();
    };
    BOOST_TEST(ip_of_login("203.0.113.7") == "203.0.113.7");
    BOOST_TEST(ip_of_login("198.51.100.1, 203.0.113.7, 10.1.2.3") == "203.0.113.7");
    BOOST_TEST(ip_of_login("2001:db8::7") == "2001:db8::7");
    BOOST_TEST(ip_of_login("203.0.113.9:4711") == "203.0.113.9");
    BOOST_TEST(ip_of_login("[2001:db8::8]:4711") == "2001:db8::8");
    BOOST_TEST(ip_of_login("[2001:db8::9]") == "2001:db8::9");
    auto warnings = [&](std::string_view text) { return occurrences(fixture.server.log(), text); };
    constexpr std::string_view unreadable = "forwarding headers of a trusted proxy name no client address";
    constexpr std::string_view contradiction = "X-Forwarded-For and Forwarded name different clients";
    BOOST_TEST(warnings(unreadable) == 0u);
    BOOST_TEST(ip_of_login("nonsense") == "127.0.0.1");
    BOOST_TEST(ip_of_login("unknown") == "127.0.0.1");
    BOOST_TEST(fixture.server.logs(unreadable));
    BOOST_TEST(warnings(unreadable) == 1u);

    fixture.client.set("Forwarded", "for=\"[2001:db8::17]:4711\";proto=https");
    BOOST_TEST(ip_of_login("") == "2001:db8::17");
    BOOST_TEST(warnings(contradiction) == 0u);
    BOOST_TEST(ip_of_login("203.0.113.7") == "127.0.0.1");
    BOOST_TEST(fixture.server.logs(contradiction));
    BOOST_TEST(warnings(contradiction) == 1u);
}

BOOST_AUTO_TEST_CASE(forwarding_headers_of_an_unknown_proxy_are_reported_once)
{
    for (std::string trusted : {"", "10.0.0.0/8"}) {
        account_fixture fixture({{"LATCHKEY_TRUSTED_PROXIES", trusted}});
        constexpr std::string_view warning = "the peer is not in LATCHKEY_TRUSTED_PROXIES";
        for (int i = 0; i < 3; ++i) {
            support::http_client proxy(fixture.server.port());
            proxy.set("X-Forwarded-For", "203.0.113.7");
            proxy.get("/healthz");
            proxy.get("/healthz");
        }
        BOOST_TEST(fixture.server.stop() == 0); // completes the log
        BOOST_TEST(occurrences(fixture.server.log(), warning) == 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_separate_forwarded_for_line_of_the_proxy_wins)
{
    account_fixture fixture({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1"}});
    auto body = credentials("ada@example.com");
    support::raw_connection line(fixture.server.port());
    line.send("POST " + base + "/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.7\r\n" +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    auto opened = line.receive();
    BOOST_TEST_REQUIRE(opened.status == 200u);
    auto listed = fixture.client.get(base + "/sessions?limit=1", opened.text("/access_token"));
    BOOST_TEST(item_texts(listed, "ip").front() == "203.0.113.7");
}

BOOST_AUTO_TEST_SUITE_END()
