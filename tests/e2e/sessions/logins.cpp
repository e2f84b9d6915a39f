// Login with a password: responses, enumeration resistance, workspace selection, rehashing and audit.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(logins)

BOOST_FIXTURE_TEST_CASE(a_login_returns_tokens_user_and_workspace, account_fixture)
{
    auto opened = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(opened.header("Content-Type") == "application/json");
    BOOST_TEST(opened.header("Cache-Control") == "no-store");
    BOOST_TEST(member_names(opened) == "access_token token_type expires_in refresh_token user workspace");
    BOOST_TEST(opened.text("/token_type") == "bearer");
    BOOST_TEST(json_at(opened, "/expires_in") == "3600");
    auto me = client.get(base + "/me", opened.text("/access_token"));
    BOOST_TEST(json_at(me, "/user") == json_at(opened, "/user"));
    BOOST_TEST(json_at(me, "/workspace") == json_at(opened, "/workspace"));
    BOOST_TEST(opened.text("/user/id") == user);
    BOOST_TEST(opened.text("/workspace/id") == workspace);
}

BOOST_FIXTURE_TEST_CASE(each_login_opens_its_own_session, account_fixture)
{
    auto one = log_in(client, "ada@example.com"), other = log_in(client, "ada@example.com");
    auto session_of = [&](const std::string& of) {
        return client.get(base + "/me", of).text("/credential/id");
    };
    BOOST_TEST(session_of(one.token) != session_of(other.token));
    BOOST_TEST(one.refresh_token != other.refresh_token);
    BOOST_TEST(client.post(base + "/logout", "", one.token).status == 204u);
    BOOST_TEST(client.get(base + "/me", other.token).status == 200u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(addresses_are_case_insensitive_and_passwords_are_not, account_fixture)
{
    BOOST_TEST(client.post(base + "/login", credentials("ADA@Example.COM")).status == 200u);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "Long enough")).status == 401u);
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "long enough ")).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(wrong_password_and_unknown_address_answer_alike, account_fixture)
{
    auto wrong = client.post(base + "/login", credentials("ada@example.com", "not her own"));
    auto unknown = client.post(base + "/login", credentials("bob@example.com", "not her own"));
    BOOST_TEST(wrong.status == 401u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    BOOST_TEST(member_names(wrong) == "detail code");
    BOOST_TEST(wrong.header("WWW-Authenticate") == "Bearer realm=\"latchkey\"");
    BOOST_TEST(normalized(wrong) == normalized(unknown));

    db.sql("UPDATE users SET password_hash = NULL");
    auto without_one = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(normalized(wrong) == normalized(without_one));
    db.sql("UPDATE users SET password_hash = ''");
    auto broken = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(normalized(wrong) == normalized(broken));
}

BOOST_FIXTURE_TEST_CASE(all_validation_errors_are_reported_at_once, account_fixture)
{
    auto errors_of = [&](std::string body) {
        return validation_errors(client.post(base + "/login", std::move(body)));
    };
    BOOST_TEST(errors_of("{}") == "body.email missing, body.password missing");
    BOOST_TEST(errors_of(R"({"email":"ada","password":"","remember":true})") ==
               "body.email value_error, body.password string_too_short, body.remember extra_forbidden");
    BOOST_TEST(errors_of(credentials("ada@example.com", std::string(1025, 'x'))) ==
               "body.password string_too_long");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_is_disclosed_only_with_the_right_password, account_fixture)
{
    db.sql("UPDATE users SET disabled_at = now()");
    auto right = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(right.status == 403u);
    BOOST_TEST(right.code() == "account_disabled");
    BOOST_TEST(member_names(right) == "detail code");
    auto wrong = client.post(base + "/login", credentials("ada@example.com", "not her own"));
    auto unknown = client.post(base + "/login", credentials("bob@example.com", "not her own"));
    BOOST_TEST(normalized(wrong) == normalized(unknown));
    BOOST_TEST(client.get(base + "/me", token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_user_without_a_workspace_can_log_in, account_fixture)
{
    db.sql("DELETE FROM memberships");
    auto opened = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(json_at(opened, "/workspace") == "null");
    auto outside = opened.text("/access_token");
    BOOST_TEST(json_at(jwt_part(outside, 1), "/wid") == "null");
    BOOST_TEST(json_at(jwt_part(outside, 1), "/role") == "");

    auto me = client.get(base + "/me", outside);
    BOOST_TEST(me.status == 200u);
    BOOST_TEST(me.text("/user/id") == user);
    BOOST_TEST(json_at(me, "/workspace") == "null");
    BOOST_TEST(json_at(me, "/role") == "null");
    BOOST_TEST(json_at(me, "/permissions") == "[]");
    BOOST_TEST(client.get(base + "/api-keys", outside).code() == "forbidden_scope");
    BOOST_TEST(client.post(base + "/api-keys", R"({"name":"k"})", outside).code() == "forbidden_scope");
    BOOST_TEST(client.post(base + "/logout", "", outside).status == 204u);
    BOOST_TEST(client.get(base + "/me", token).status == 401u); // was bound to the workspace
}

BOOST_FIXTURE_TEST_CASE(a_login_selects_the_last_used_or_else_the_oldest_workspace, two_workspaces_fixture)
{
    db.sql("INSERT INTO memberships (workspace_id, user_id, role, joined_at) VALUES ('" + workspace + "', '" +
           eve.user + "', 'member', now() - interval '1 year')");
    BOOST_TEST(log_in(client, "eve@example.net").workspace == eve.workspace);
    db.sql("UPDATE users SET last_workspace_id = NULL");
    BOOST_TEST(log_in(client, "eve@example.net").workspace == workspace);
    db.sql("DELETE FROM memberships WHERE workspace_id = '" + workspace + "'");
    BOOST_TEST(log_in(client, "eve@example.net").workspace == eve.workspace);
}

BOOST_AUTO_TEST_CASE(a_login_rehashes_with_the_current_cost_parameters)
{
    support::database db;
    auto key = support::random_master_key();
    auto hash = [&] { return db.sql("SELECT password_hash FROM users"); };
    {
        support::running_server before(db.conninfo(), {{"LATCHKEY_MASTER_KEY", key}});
        support::http_client client(before.port());
        sign_up(client, "ada@example.com");
    }
    support::running_server now(db.conninfo(),
                                {{"LATCHKEY_MASTER_KEY", key}, {"LATCHKEY_PASSWORD_HASH", "m=128,t=2,p=1"}});
    support::http_client client(now.port());
    auto old = hash();
    BOOST_TEST(client.post(base + "/login", credentials("ada@example.com", "not her own")).status == 401u);
    BOOST_TEST(hash() == old);
    log_in(client, "ada@example.com");
    BOOST_TEST(hash().starts_with("$argon2id$v=19$m=128,t=2,p=1$"));
    log_in(client, "ada@example.com");
}

BOOST_FIXTURE_TEST_CASE(a_login_is_audited_and_a_failed_one_leaves_no_session, account_fixture)
{
    client.post(base + "/login", credentials("ada@example.com", "not her own"));
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions") == "1");
    client.set("User-Agent", "engine/2");
    auto opened = log_in(client, "ada@example.com");
    auto session = jwt_part(opened.token, 1).text("/sid");
    BOOST_TEST(
        db.sql("SELECT concat_ws(' ', actor_id, workspace_id, credential_id, ip, user_agent) FROM audit "
               "WHERE action = 'session.open'") ==
        user + " " + workspace + " " + session + " 127.0.0.1 engine/2");
}

BOOST_AUTO_TEST_SUITE_END()
