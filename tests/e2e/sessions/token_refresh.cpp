// Refresh token rotation: retries within the grace period succeed, reuse ends the session.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/forge.hpp"

#include <string>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

struct refresh_fixture : account_fixture {
    support::response refresh(const std::string& with) { return refresh(client, with); }

    support::response refresh(support::http_client& from, const std::string& with)
    {
        return from.post(base + "/token/refresh", support::object({{"refresh_token", with}}));
    }

    std::string successor_of(const std::string& old)
    {
        auto answer = refresh(old);
        BOOST_REQUIRE_MESSAGE(answer.status == 200u, answer.body);
        return answer.text("/refresh_token");
    }

    bool is_session_over() { return client.get(base + "/me", token).status == 401u; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(token_refresh)

BOOST_FIXTURE_TEST_CASE(a_refresh_response_has_the_shape_of_a_login, refresh_fixture)
{
    auto renewed = refresh(refresh_token);
    BOOST_TEST(renewed.status == 200u);
    BOOST_TEST(member_names(renewed) == "access_token token_type expires_in refresh_token user workspace");
    BOOST_TEST(renewed.text("/token_type") == "bearer");
    BOOST_TEST(json_at(renewed, "/expires_in") == "3600");
    BOOST_TEST(renewed.text("/refresh_token") != refresh_token);
    auto fresh = renewed.text("/access_token");
    BOOST_TEST(fresh != token);
    auto before = client.get(base + "/me", token), now = client.get(base + "/me", fresh);
    BOOST_TEST(now.status == 200u);
    BOOST_TEST(before.body == now.body); // the same session too
    BOOST_TEST(json_at(now, "/user") == json_at(renewed, "/user"));
    BOOST_TEST(json_at(now, "/workspace") == json_at(renewed, "/workspace"));
}

BOOST_FIXTURE_TEST_CASE(each_refresh_extends_the_session, refresh_fixture)
{
    auto next = refresh_token;
    for (int i = 0; i < 5; ++i)
        next = successor_of(next);
    db.sql("UPDATE sessions SET expires_at = now() + interval '1 minute'");
    next = successor_of(next);
    BOOST_TEST(db.sql("SELECT expires_at > now() + interval '29 days' FROM sessions") == "t");
    db.sql("UPDATE sessions SET expires_at = now() - interval '1 second'");
    BOOST_TEST(refresh(next).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_retry_gets_the_same_successor, refresh_fixture)
{
    auto next = successor_of(refresh_token);
    BOOST_TEST(successor_of(refresh_token) == next);
    support::http_client other_address(server.port(), "127.0.0.7");
    BOOST_TEST(refresh(other_address, refresh_token).text("/refresh_token") == next);
    client.set("User-Agent", "another/1");
    BOOST_TEST(successor_of(refresh_token) == next);
    BOOST_TEST(refresh(next).status == 200u);
    BOOST_TEST(!is_session_over());
}

BOOST_FIXTURE_TEST_CASE(concurrent_refreshes_get_the_same_successor, refresh_fixture)
{
    for (int round = 0; round < 5; ++round) {
        std::vector<support::response> answers(8);
        std::vector<std::thread> tabs;
        for (auto& answer : answers)
            tabs.emplace_back([&] {
                support::http_client tab(server.port());
                answer = refresh(tab, refresh_token);
            });
        for (auto& tab : tabs)
            tab.join();
        for (auto& answer : answers) {
            BOOST_TEST(answer.status == 200u, answer.body);
            BOOST_TEST(answer.text("/refresh_token") == answers[0].text("/refresh_token"));
            BOOST_TEST(client.get(base + "/me", answer.text("/access_token")).status == 200u);
        }
        refresh_token = answers[0].text("/refresh_token");
    }
    BOOST_TEST(db.sql("SELECT refresh_counter FROM sessions") == "5");
}

BOOST_FIXTURE_TEST_CASE(reuse_of_a_rotated_token_ends_the_session, refresh_fixture)
{
    auto next = successor_of(refresh_token);
    auto last = successor_of(next);
    client.set("X-Request-Id", "thief");
    auto reused = refresh(refresh_token);
    BOOST_TEST(reused.status == 401u);
    BOOST_TEST(reused.code() == "unauthorized");
    BOOST_TEST(reused.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos);
    BOOST_TEST(is_session_over());
    for (auto& each : {refresh_token, next, last})
        BOOST_TEST(refresh(each).status == 401u);
    BOOST_TEST(db.sql("SELECT string_agg(actor_id || ' ' || request_id, ',') FROM audit WHERE action = "
                      "'session.reuse'") == user + " thief");
}

BOOST_FIXTURE_TEST_CASE(reuse_ends_only_its_own_session, refresh_fixture)
{
    auto other = log_in(client, "ada@example.com");
    successor_of(successor_of(refresh_token));
    BOOST_TEST(refresh(refresh_token).status == 401u);
    BOOST_TEST(is_session_over());
    BOOST_TEST(client.get(base + "/me", other.token).status == 200u);
    BOOST_TEST(refresh(other.refresh_token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_retry_after_the_grace_period_ends_the_session, refresh_fixture)
{
    successor_of(refresh_token);
    db.sql("UPDATE sessions SET refreshed_at = refreshed_at - interval '11 seconds'");
    BOOST_TEST(refresh(refresh_token).status == 401u);
    BOOST_TEST(is_session_over());
}

BOOST_FIXTURE_TEST_CASE(a_retry_with_another_address_and_agent_ends_the_session, refresh_fixture)
{
    client.set("User-Agent", "engine/1");
    successor_of(refresh_token);
    support::http_client thief(server.port(), "127.0.0.7");
    thief.set("User-Agent", "engine/2");
    BOOST_TEST(refresh(thief, refresh_token).status == 401u);
    BOOST_TEST(is_session_over());
}

BOOST_FIXTURE_TEST_CASE(a_forged_token_is_rejected_and_ends_no_session, refresh_fixture)
{
    auto other = log_in(client, "ada@example.com").refresh_token;
    auto good = successor_of(refresh_token);
    for (std::size_t i = 0; i < good.size(); ++i) {
        BOOST_TEST(refresh(support::forge(good, i)).status == 401u, i);
    }
    auto head = good.substr(0, 32), other_tail = other.substr(32);
    for (auto& text : {head + other_tail, good + "A", good + "=", good.substr(1), std::string("x"),
                       token.substr(0, 512), std::string(512, 'A')})
        BOOST_TEST(refresh(text).status == 401u, text);
    BOOST_TEST(!is_session_over());
    BOOST_TEST(refresh(good).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(all_validation_errors_are_reported, refresh_fixture)
{
    auto errors_of = [&](std::string body) {
        return validation_errors(client.post(base + "/token/refresh", std::move(body)));
    };
    BOOST_TEST(errors_of("{}") == "body.refresh_token missing");
    BOOST_TEST(errors_of(R"({"refresh_token":7,"grant_type":"refresh_token"})") ==
               "body.grant_type extra_forbidden, body.refresh_token string_type");
}

BOOST_FIXTURE_TEST_CASE(the_authorization_header_is_ignored, refresh_fixture)
{
    client.set("Authorization", "Bearer dead.and.gone");
    BOOST_TEST(refresh(refresh_token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_new_token_carries_the_current_role, refresh_fixture)
{
    db.sql("UPDATE memberships SET role = 'manager'");
    auto renewed = refresh(refresh_token);
    BOOST_TEST(jwt_part(renewed.text("/access_token"), 1).text("/role") == "manager");
    BOOST_TEST(client.get(base + "/me", renewed.text("/access_token")).text("/role") == "manager");

    db.sql("DELETE FROM memberships");
    auto outside = refresh(renewed.text("/refresh_token"));
    BOOST_TEST(outside.status == 200u);
    BOOST_TEST(json_at(outside, "/workspace") == "null");
    BOOST_TEST(json_at(jwt_part(outside.text("/access_token"), 1), "/wid") == "null");
}

BOOST_AUTO_TEST_CASE(another_server_with_the_same_master_key_accepts_the_token)
{
    support::database db;
    auto key = support::random_master_key();
    support::running_server one(db.conninfo(), {{"LATCHKEY_MASTER_KEY", key}});
    support::running_server other(db.conninfo(), {{"LATCHKEY_MASTER_KEY", key}});
    support::http_client here(one.port()), there(other.port());
    auto ada = sign_up(here, "ada@example.com");
    auto body = support::object({{"refresh_token", ada.refresh_token}});
    auto first = here.post(base + "/token/refresh", body);
    auto retry = there.post(base + "/token/refresh", body);
    BOOST_TEST(retry.status == 200u);
    BOOST_TEST(first.text("/refresh_token") == retry.text("/refresh_token"));
}

BOOST_AUTO_TEST_SUITE_END()
