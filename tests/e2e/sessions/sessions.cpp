// Sessions as their person sees them: listed, ended one by one, all others ended, logged out of.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

using namespace flows;

namespace {

struct at_home : two_workspaces {
    std::string session_of(const std::string& credential)
    {
        return client.get(base + "/me", credential).text("/credential/id");
    }

    support::response list(const std::string& query = "")
    {
        return client.get(base + "/sessions" + query, token);
    }

    /// Every page of the list, one after the other.
    std::vector<std::string> all_by_pages_of(int limit)
    {
        std::vector<std::string> out;
        std::string query = "?limit=" + std::to_string(limit);
        for (auto page = list(query);; page = list(query + "&cursor=" + page.text("/next_cursor"))) {
            auto ids = texts(page, "id");
            out.insert(out.end(), ids.begin(), ids.end());
            if (at(page, "/next_cursor") == "null")
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

BOOST_FIXTURE_TEST_CASE(each_sign_in_is_listed_the_newest_first, at_home)
{
    client.set("User-Agent", "engine/2");
    support::http_client elsewhere(server.port(), "127.0.0.5");
    elsewhere.set("User-Agent", "engine/3");
    auto second = log_in(client, "ada@example.com");
    std::this_thread::sleep_for(std::chrono::milliseconds(2)); // on two cores a millisecond has no order
    auto third = log_in(elsewhere, "ada@example.com");
    client.set("User-Agent", "engine/4"); // who asks now is not who signed in

    auto all = list();
    BOOST_TEST(all.status == 200u);
    BOOST_TEST(members(all) == "items next_cursor total");
    BOOST_TEST(at(all, "/next_cursor") == "null");
    BOOST_TEST(at(all, "/total") == "3");
    BOOST_TEST(members(all, "/items/0") == "id created_at last_seen_at ip user_agent current");
    BOOST_TEST(texts(all, "id") ==
                   (std::vector{session_of(third.token), session_of(second.token), session_of(token)}),
               boost::test_tools::per_element());
    BOOST_TEST(texts(all, "ip") == (std::vector<std::string>{"127.0.0.5", "127.0.0.1", "127.0.0.1"}),
               boost::test_tools::per_element());
    BOOST_TEST(texts(all, "user_agent") == (std::vector<std::string>{"engine/3", "engine/2", ""}),
               boost::test_tools::per_element());
    for (auto item : {"/items/0", "/items/1", "/items/2"}) {
        BOOST_TEST(is_id(all.text(item + std::string("/id"))));
        BOOST_TEST(is_recent(all.text(item + std::string("/created_at"))));
        BOOST_TEST(is_recent(all.text(item + std::string("/last_seen_at"))));
    }
    BOOST_TEST(at(all, "/items/0/current") == "false");
    BOOST_TEST(at(all, "/items/1/current") == "false");
    BOOST_TEST(at(all, "/items/2/current") == "true");
    BOOST_TEST(count(client.get(base + "/sessions", eve.token)) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_list_comes_in_pages, at_home)
{
    for (int i = 0; i < 4; ++i)
        log_in(client, "ada@example.com");
    auto whole = texts(list(), "id");
    BOOST_TEST(whole.size() == 5u);
    for (int limit : {1, 2, 4, 5, 6})
        BOOST_TEST(all_by_pages_of(limit) == whole, boost::test_tools::per_element());
    auto first = list("?limit=2");
    BOOST_TEST(count(first) == 2u);
    BOOST_TEST(at(first, "/total") == "5");
    BOOST_TEST(first.text("/next_cursor")
                   .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                                      "wxyz0123456789-_") == std::string::npos);
    BOOST_TEST(at(list("?limit=5"), "/next_cursor") == "null");
}

BOOST_FIXTURE_TEST_CASE(what_comes_and_goes_between_two_pages_disturbs_neither, at_home)
{
    for (int i = 0; i < 4; ++i)
        log_in(client, "ada@example.com");
    auto whole = texts(list(), "id");
    auto first = list("?limit=2");
    log_in(client, "ada@example.com");
    BOOST_TEST(client.del(base + "/sessions/" + whole[0], token).status == 204u);
    BOOST_TEST(client.del(base + "/sessions/" + whole[1], token).status ==
               204u); // where the next page starts
    BOOST_TEST(client.del(base + "/sessions/" + whole[3], token).status == 204u);
    auto second = list("?limit=2&cursor=" + first.text("/next_cursor"));
    BOOST_TEST(texts(second, "id") == (std::vector{whole[2], whole[4]}), boost::test_tools::per_element());
    BOOST_TEST(at(second, "/next_cursor") == "null");
}

BOOST_FIXTURE_TEST_CASE(only_the_list_that_gave_out_a_cursor_takes_it, at_home)
{
    log_in(client, "ada@example.com");
    log_in(client, "eve@example.net");
    bring_in(*this, "bob@example.com", "admin");
    auto bob = log_in(client, "bob@example.com");
    mint(R"({"name":"a"})");
    mint(R"({"name":"b"})");
    auto mine = list("?limit=1").text("/next_cursor");
    BOOST_TEST(list("?cursor=" + mine).status == 200u);
    auto hers = client.get(base + "/sessions?limit=1", eve.token).text("/next_cursor");
    auto colleagues = client.get(base + "/sessions?limit=1", bob.token).text("/next_cursor");
    auto of_keys = client.get(base + "/api-keys?limit=1", token).text("/next_cursor");
    auto forged = mine;
    forged[5] = forged[5] == 'A' ? 'B' : 'A';
    BOOST_TEST(!hers.empty());
    BOOST_TEST(!colleagues.empty());
    BOOST_TEST(!of_keys.empty());
    for (auto& cursor : {hers, colleagues, of_keys, forged, mine + "A", mine.substr(1), std::string(),
                         std::string("x"), std::string("%F0%9F%94%91"), session_of(token)}) {
        auto refused = list("?cursor=" + cursor);
        BOOST_TEST(refused.status == 400u, cursor);
        BOOST_TEST(refused.code() == "invalid_cursor", cursor);
    }
}

BOOST_FIXTURE_TEST_CASE(a_limit_is_a_positive_whole_number, at_home)
{
    for (auto limit : {"0", "-1"})
        BOOST_TEST(faults(list("?limit=" + std::string(limit))) == "query.limit greater_than_equal");
    for (auto limit : {"", "many", "1.5", "1e1", "%2B1", "0x1", "1%20"})
        BOOST_TEST(faults(list("?limit=" + std::string(limit))) == "query.limit int_parsing", limit);
    BOOST_TEST(faults(list("?limit=1&limit=2")) == "query.limit repeated");
    for (auto limit : {"1", "200", "201", "99999999999999999999999"})
        BOOST_TEST(list("?limit=" + std::string(limit)).status == 200u, limit);
    BOOST_TEST(list("?limit=1&page=7").status == 200u);
    BOOST_TEST(list("?limit=%zz").code() == "bad_request");
    BOOST_TEST(list("?cursor=%ff").code() == "bad_request");
}

BOOST_FIXTURE_TEST_CASE(an_ended_session_is_over_for_both_of_its_tokens, at_home)
{
    auto other = log_in(client, "ada@example.com");
    auto id = session_of(other.token);
    std::deque<support::http_client> everywhere; // enough that every core has some
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(everywhere.emplace_back(server.port()).get(base + "/auth", other.token).status == 200u);

    auto ended = client.del(base + "/sessions/" + id, token);
    BOOST_TEST(ended.status == 204u);
    BOOST_TEST(ended.body.empty());
    for (auto& one : everywhere)
        BOOST_TEST(one.get(base + "/auth", other.token).code() == "unauthorized");
    BOOST_TEST(refresh(other.refresh_token) == "401");
    BOOST_TEST(texts(list(), "id") == std::vector{session_of(token)}, boost::test_tools::per_element());
    BOOST_TEST(client.del(base + "/sessions/" + id, token).status == 204u);
    BOOST_TEST(db.sql("SELECT string_agg(target || ' ' || actor_id, ',') FROM audit WHERE action = "
                      "'session.end'") == id + " " + user);
}

BOOST_FIXTURE_TEST_CASE(one_may_end_the_session_one_uses, at_home)
{
    BOOST_TEST(client.del(base + "/sessions/" + session_of(token), token).status == 204u);
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(another_persons_session_is_not_there, at_home)
{
    auto bob = bring_in(*this, "bob@example.com", "member"); // a colleague's is none of an admin's business
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

BOOST_FIXTURE_TEST_CASE(all_others_are_ended_at_once, at_home)
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
    for (auto& living : {token, key, eve.token})
        BOOST_TEST(client.get(base + "/me", living).status == 200u);
    BOOST_TEST(refresh(refresh_token) == "200");
    BOOST_TEST(client.del(base + "/sessions", token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(logging_out_ends_the_session_of_the_token_used, at_home)
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

BOOST_FIXTURE_TEST_CASE(a_key_has_no_session_to_log_out_of, at_home)
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

BOOST_FIXTURE_TEST_CASE(a_key_acts_on_its_owners_sessions_as_far_as_its_scopes_go, at_home)
{
    auto other = log_in(client, "ada@example.com");
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    auto listed = client.get(base + "/sessions", reader);
    BOOST_TEST(count(listed) == 2u);
    BOOST_TEST(listed.body.find("\"current\":true") == std::string::npos);
    auto refused = client.del(base + "/sessions/" + session_of(other.token), reader);
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.text("/required") == "profile:write");

    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(client.get(base + "/sessions", writer).text("/required") == "profile:read");
    BOOST_TEST(client.del(base + "/sessions/" + session_of(other.token), writer).status == 204u);
    BOOST_TEST(client.del(base + "/sessions", writer).status == 204u); // none of them is its own
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_workspaces_key_is_nobody_with_sessions, at_home)
{
    auto key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    for (auto& answer : {client.get(base + "/sessions", key), client.del(base + "/sessions", key),
                         client.del(base + "/sessions/" + session_of(token), key)}) {
        BOOST_TEST(answer.status == 403u);
        BOOST_TEST(answer.code() == "forbidden");
    }
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_agent_is_shown_in_clean_text_of_bounded_length, at_home)
{
    client.set("User-Agent", "caf\xC3\xA9 \xFF" + std::string(1000, 'x'));
    log_in(client, "ada@example.com");
    auto shown = texts(list(), "user_agent").front();
    BOOST_TEST(shown.starts_with("caf\u00E9 \uFFFDxxx"));
    BOOST_TEST(shown.size() == 256u);
}

BOOST_AUTO_TEST_CASE(behind_a_trusted_proxy_the_client_is_whom_it_names)
{
    signed_up world({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"}});
    auto ip_of_login = [&](const std::string& forwarded) {
        world.client.set("X-Forwarded-For", forwarded);
        auto session = log_in(world.client, "ada@example.com");
        return texts(world.client.get(base + "/sessions?limit=1", session.token), "ip").front();
    };
    BOOST_TEST(ip_of_login("203.0.113.7") == "203.0.113.7");
    BOOST_TEST(ip_of_login("198.51.100.1, 203.0.113.7, 10.1.2.3") == "203.0.113.7");
    BOOST_TEST(ip_of_login("2001:db8::7") == "2001:db8::7");
    BOOST_TEST(ip_of_login("nonsense") == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(what_a_proxy_adds_on_a_line_of_its_own_counts_before_what_a_client_sent)
{
    signed_up world({{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1"}});
    auto body = credentials("ada@example.com");
    support::raw_connection line(world.server.port());
    line.send("POST " + base + "/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
              "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.7\r\n" +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    auto opened = line.receive();
    BOOST_TEST_REQUIRE(opened.status == 200u);
    auto listed = world.client.get(base + "/sessions?limit=1", opened.text("/access_token"));
    BOOST_TEST(texts(listed, "ip").front() == "203.0.113.7");
}

BOOST_AUTO_TEST_SUITE_END()
