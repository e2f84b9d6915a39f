// Account deletion: the password check, what is removed, and what protects owners and the last admin.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace e2e;

namespace {

const std::string right = R"({"password":"long enough"})";

support::response remove(account_fixture& fixture, const std::string& with, const std::string& body = right)
{
    return fixture.client.send(support::http::verb::delete_, base + "/me", body, with);
}

/// The distinct statuses that a credential gets over eight connections, spread over all cores.
std::string statuses(const account_fixture& fixture, const std::string& credential)
{
    std::vector<std::string> out;
    for (int i = 0; i < 8; ++i) {
        auto answer = support::http_client(fixture.server.port()).get(base + "/me", credential);
        auto status = std::to_string(answer.status);
        if (std::ranges::find(out, status) == out.end())
            out.push_back(status);
    }
    return join(out);
}

} // namespace

BOOST_AUTO_TEST_SUITE(account_deletion)

BOOST_FIXTURE_TEST_CASE(deletion_requires_the_password, account_fixture)
{
    for (auto body : {"", "{}", R"({"password":null})"})
        BOOST_TEST(validation_errors(remove(*this, token, body)) == "body.password missing", body);
    auto wrong = remove(*this, token, R"({"password":"not her own"})");
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    BOOST_TEST(validation_errors(remove(*this, token, R"({"password":7,"really":true})")) ==
               "body.password string_type, body.really extra_forbidden");
    BOOST_TEST(statuses(*this, token) == "200");
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "1");
}

BOOST_FIXTURE_TEST_CASE(deletion_revokes_all_credentials_on_every_core, account_fixture)
{
    auto elsewhere = log_in(client, "ada@example.com");
    auto key = mint(R"({"name":"k"})"),
         workspaces = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    for (auto& credential : {token, elsewhere.token, key, workspaces})
        BOOST_TEST(statuses(*this, credential) == "200"); // now cached on every core
    auto gone = remove(*this, token);
    BOOST_TEST(gone.status == 204u);
    BOOST_TEST(gone.body == "");
    for (auto& credential : {token, elsewhere.token, key, workspaces})
        BOOST_TEST(statuses(*this, credential) == "401");
    for (auto& spent : {refresh_token, elsewhere.refresh_token}) {
        auto refused = client.post(base + "/token/refresh", support::object({{"refresh_token", spent}}));
        BOOST_TEST(refused.status == 401u);
    }
    BOOST_TEST(remove(*this, token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(deletion_removes_all_rows_and_frees_the_address, account_fixture)
{
    mint(R"({"name":"k"})");
    auto unknown = client.post(base + "/login", credentials("unknown@example.com"));
    BOOST_TEST(remove(*this, token).status == 204u);
    auto login = client.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(login.status == 401u);
    BOOST_TEST(normalized(login) == normalized(unknown));
    for (std::string table : {"users", "workspaces", "memberships", "sessions", "api_keys", "one_time_tokens",
                              "known_devices", "avatars", "audit"})
        BOOST_TEST(db.sql("SELECT count(*) FROM " + table) == "0", table);

    auto again = sign_up(client, "ada@example.com");
    BOOST_TEST(again.user != user);
    BOOST_TEST(again.workspace != workspace);
    BOOST_TEST(statuses(*this, token) == "401");
}

BOOST_FIXTURE_TEST_CASE(an_owner_of_a_workspace_with_members_cannot_be_deleted, team_fixture)
{
    auto refused = remove(*this, token);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "owner_protected");
    for (auto& credential : {token, mel.token, bob.token})
        BOOST_TEST(statuses(*this, credential) == "200");
    BOOST_TEST(remove(*this, mel.token).status == 204u);
    BOOST_TEST(remove(*this, token).status == 409u);
    BOOST_TEST(remove(*this, bob.token).status == 204u);
    BOOST_TEST(remove(*this, token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(the_last_active_admin_cannot_be_deleted, team_fixture)
{
    BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + user + "'"); // the owner
    auto refused = remove(*this, mel.token);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "last_admin");
    BOOST_TEST(remove(*this, bob.token).status == 204u);
    db.sql("UPDATE users SET disabled_at = NULL WHERE id = '" + user + "'");
    BOOST_TEST(remove(*this, mel.token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(audit_events_in_other_workspaces_are_anonymized, team_fixture)
{
    client.set("User-Agent", "bobs-own-agent");
    auto minted = client.post(base + "/api-keys", R"({"name":"k"})", bob.token);
    BOOST_REQUIRE(minted.status == 201u);
    client.set("User-Agent", "");
    auto in_adas = " FROM audit WHERE workspace_id = '" + workspace + "'";
    auto events = db.sql("SELECT count(*)" + in_adas);
    auto by_ada = db.sql("SELECT count(*)" + in_adas + " AND actor_id = '" + user + "'");
    BOOST_TEST(db.sql("SELECT count(*)" + in_adas + " AND user_agent = 'bobs-own-agent'") == "1");

    BOOST_TEST(remove(*this, bob.token).status == 204u);
    BOOST_TEST(db.sql("SELECT count(*)" + in_adas + " AND action <> 'team.leave'") == events);
    BOOST_TEST(db.sql("SELECT count(*)" + in_adas + " AND action = 'team.leave' AND actor_id IS NULL") ==
               "1");
    BOOST_TEST(db.sql("SELECT count(*)" + in_adas + " AND actor_id = '" + user + "' AND ip <> ''") == by_ada);
    BOOST_TEST(db.sql("SELECT count(*)" + in_adas +
                      " AND action = 'api_key.mint' AND actor_id IS NULL AND "
                      "credential_id IS NULL AND ip = '' AND user_agent = ''") == "1");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit a WHERE to_jsonb(a)::text LIKE '%" + bob.user +
                      "%' OR to_jsonb(a)::text LIKE '%bobs-own-agent%'") == "0");
    BOOST_TEST(statuses(*this, minted.text("/secret")) == "401");
    BOOST_TEST(statuses(*this, token) == "200");
}

BOOST_FIXTURE_TEST_CASE(a_personal_key_can_delete_its_owner_and_a_workspace_key_cannot, account_fixture)
{
    auto by_workspace_key = remove(*this, mint(R"({"name":"w","owner":"workspace","role":"admin"})"));
    BOOST_TEST(by_workspace_key.status == 403u);
    BOOST_TEST(by_workspace_key.code() == "forbidden");
    BOOST_TEST(remove(*this, mint(R"({"name":"r","scopes":["profile:read"]})")).code() == "forbidden_scope");
    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(remove(*this, writer, R"({"password":"not her own"})").code() == "invalid_credentials");
    BOOST_TEST(remove(*this, writer).status == 204u);
    BOOST_TEST(statuses(*this, token) == "401");
}

BOOST_FIXTURE_TEST_CASE(without_a_password_deletion_requires_a_recent_sign_in, account_fixture)
{
    db.sql("UPDATE users SET password_hash = NULL; UPDATE sessions SET created_at = now() - interval '6 "
           "minutes'");
    auto refused = remove(*this, token, "{}");
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.code() == "reauthentication_required");
    BOOST_TEST(remove(*this, mint(R"({"name":"k"})"), "{}").code() == "reauthentication_required");
    db.sql("UPDATE sessions SET created_at = now() - interval '4 minutes'");
    BOOST_TEST(remove(*this, token, "").status == 204u);
}

BOOST_AUTO_TEST_CASE(wrong_passwords_are_limited_for_the_session)
{
    account_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(remove(fixture, fixture.token, R"({"password":"not her own"})").status == 403u);
    BOOST_TEST(remove(fixture, fixture.token).status == 429u);
    auto other = log_in(fixture.client, "ada@example.com").token;
    BOOST_TEST(remove(fixture, other).status == 204u);
}

BOOST_AUTO_TEST_SUITE_END()
