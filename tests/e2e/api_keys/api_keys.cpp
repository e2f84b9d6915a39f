// Minting API keys: the secret, defaults, validation, workspace keys, expiry and audit.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/eventually.hpp"

#include <chrono>
#include <regex>
#include <string>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

struct minting_fixture : team_fixture {
    support::response post_key(std::string body) { return post_key(std::move(body), token); }
    support::response post_key(std::string body, const std::string& with)
    {
        return client.post(base + "/api-keys", std::move(body), with);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(api_keys)

BOOST_FIXTURE_TEST_CASE(the_secret_is_shown_once, minting_fixture)
{
    auto made = post_key(R"({"name":"deploy","scopes":["content:read","content:write"],)"
                         R"("expires_at":"2126-11-24T12:49:36.5+02:00"})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(made.header("Cache-Control") == "no-store");
    BOOST_TEST(member_names(made) == "id prefix name secret scopes owner created_at expires_at");
    BOOST_TEST(is_uuid_v7(made.text("/id")));
    BOOST_TEST(made.text("/name") == "deploy");
    BOOST_TEST(json_at(made, "/scopes") == R"(["content:read","content:write"])");
    BOOST_TEST(made.text("/owner") == "user");
    BOOST_TEST(is_recent(made.text("/created_at")));
    BOOST_TEST(made.text("/expires_at") == "2126-11-24T10:49:36.500000Z");

    auto secret = made.text("/secret");
    BOOST_TEST(std::regex_match(secret, std::regex("tnx_[a-z0-9]{8}_[0-9A-Za-z]{38}")), secret);
    BOOST_TEST(made.text("/prefix") == prefix_of(secret));
    auto path = base + "/api-keys/" + prefix_of(secret);
    for (auto& later : {client.get(path, token), client.get(base + "/api-keys", token),
                        client.patch(path, R"({"name":"d"})", token), client.get(base + "/me", secret)}) {
        BOOST_TEST(later.status == 200u);
        BOOST_TEST(later.body.find(secret.substr(13)) == std::string::npos);
    }
    for (auto table : {"api_keys", "audit"})
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table) + " t WHERE t::text LIKE '%" +
                          secret.substr(13) + "%'") == "0");
    BOOST_TEST(db.sql("SELECT octet_length(digest) FROM api_keys") == "32");
}

BOOST_FIXTURE_TEST_CASE(absent_fields_have_defaults, minting_fixture)
{
    for (auto body : {R"({"name":"k"})", R"({"name":"k","expires_at":null,"owner":null,"role":null})"}) {
        auto made = post_key(body);
        BOOST_TEST(made.status == 201u);
        BOOST_TEST(json_at(made, "/scopes") == R"(["*"])");
        BOOST_TEST(made.text("/owner") == "user");
        BOOST_TEST(json_at(made, "/expires_at") == "null");
    }
}

BOOST_FIXTURE_TEST_CASE(null_scopes_are_rejected, minting_fixture)
{
    BOOST_TEST(post_key(R"({"name":"k","scopes":null})").status == 422u);
}

BOOST_FIXTURE_TEST_CASE(duplicate_scopes_are_merged, minting_fixture)
{
    auto made = post_key(R"({"name":"k","scopes":["team:read","content:read","team:read"]})");
    BOOST_TEST(json_at(made, "/scopes") == R"(["team:read","content:read"])");
}

BOOST_FIXTURE_TEST_CASE(all_validation_errors_are_reported_at_once, minting_fixture)
{
    BOOST_TEST(validation_errors(post_key("{}")) == "body.name missing");
    BOOST_TEST(
        validation_errors(post_key(R"({"name":"","scope":["content:read"],"scopes":["content:read",7,"all"],)"
                                   R"("expires_at":"tomorrow","owner":"me","role":"owner"})")) ==
        "body.expires_at datetime_parsing, body.name string_too_short, body.owner enum, "
        "body.role enum, body.scope extra_forbidden, body.scopes.1 string_type, "
        "body.scopes.2 string_pattern_mismatch");
    BOOST_TEST(validation_errors(post_key(R"({"name":"k","scopes":["no:such","content:read","leads:write"],)"
                                          R"("expires_at":"2001-01-01T00:00:00Z","role":"member"})")) ==
               "body.expires_at value_error, body.role value_error, body.scopes.0 value_error, "
               "body.scopes.2 value_error");
    BOOST_TEST(validation_errors(post_key(R"({"name":"k","scopes":[]})")) == "body.scopes too_short");
    BOOST_TEST(validation_errors(post_key(R"({"name":"k","scopes":"*"})")) == "body.scopes list_type");
    BOOST_TEST(validation_errors(post_key(R"({"name":"k","Scopes":["content:read"]})")) ==
               "body.Scopes extra_forbidden");
    BOOST_TEST(validation_errors(post_key(support::object({{"name", std::string(101, 'n')}}))) ==
               "body.name string_too_long");
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys") == "0");
}

BOOST_AUTO_TEST_CASE(extra_resources_define_scopes)
{
    account_fixture fixture({{"LATCHKEY_EXTRA_RESOURCES", "leads,deals"}});
    auto key = fixture.mint(R"({"name":"crm","scopes":["leads:write","deals:read"]})");
    BOOST_TEST(fixture.client.get(base + "/auth?permission=leads:write", key).status == 200u);
    BOOST_TEST(fixture.client.get(base + "/auth?permission=leads:read", key).status == 403u);
    auto unknown =
        fixture.client.post(base + "/api-keys", R"({"name":"k","scopes":["calls:read"]})", fixture.token);
    BOOST_TEST(validation_errors(unknown) == "body.scopes.0 value_error");
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_has_a_role_and_no_user, minting_fixture)
{
    auto plain = post_key(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(plain.status == 201u);
    BOOST_TEST(plain.text("/owner") == "workspace");
    BOOST_TEST(client.get(base + "/me", plain.text("/secret")).text("/role") == "member");
    for (std::string role : {"admin", "manager", "member"}) {
        auto made = post_key(R"({"name":"w","owner":"workspace","role":")" + role + R"("})");
        auto me = client.get(base + "/me", made.text("/secret"));
        BOOST_TEST(me.text("/role") == role);
        BOOST_TEST(json_at(me, "/user") == "null");
    }
    for (auto& who : {mel, bob}) {
        auto refused = post_key(R"({"name":"w","owner":"workspace"})", who.token);
        BOOST_TEST(refused.status == 403u);
        BOOST_TEST(refused.code() == "forbidden_scope");
        BOOST_TEST(refused.text("/required") == "api_keys:admin");
        BOOST_TEST(member_names(refused) == "detail code required");
    }
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_outlives_its_creator_and_a_personal_key_ends_with_the_membership,
                        minting_fixture)
{
    db.sql("UPDATE memberships SET role = 'admin' WHERE user_id = '" + bob.user + "'");
    auto admin = log_in(client, "bob@example.com");
    auto personal = post_key(R"({"name":"his"})", admin.token).text("/secret");
    auto of_workspace = post_key(R"({"name":"ours","owner":"workspace"})", admin.token).text("/secret");
    db.sql("DELETE FROM memberships WHERE user_id = '" + bob.user + "' AND workspace_id = '" + workspace +
           "'");
    BOOST_TEST(client.get(base + "/me", personal).status == 401u);
    BOOST_TEST(client.get(base + "/me", of_workspace).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_personal_key_has_its_owners_current_role, minting_fixture)
{
    auto key = post_key(R"({"name":"k"})", mel.token).text("/secret");
    db.sql("UPDATE memberships SET role = 'member' WHERE user_id = '" + mel.user + "'");
    BOOST_TEST(client.get(base + "/me", key).text("/role") == "member");
    BOOST_TEST(client.get(base + "/auth?permission=team:invite", key).status == 403u);
}

BOOST_FIXTURE_TEST_CASE(minting_by_members_can_be_forbidden, minting_fixture)
{
    auto before = post_key(R"({"name":"k","scopes":["content:read"]})", bob.token);
    BOOST_TEST(before.status == 201u);
    db.sql("UPDATE workspaces SET members_can_mint_keys = false");
    auto again = log_in(client, "bob@example.com").token;
    auto path = base + "/api-keys/" + before.text("/prefix");
    for (auto& refused : {post_key(R"({"name":"k"})", again), client.post(path + "/rotate", "", again),
                          client.patch(path, R"({"scopes":["*"]})", again)}) {
        BOOST_TEST(refused.status == 403u);
        BOOST_TEST(refused.code() == "forbidden_scope");
    }
    BOOST_TEST(client.get(base + "/auth", before.text("/secret")).header("X-Scopes") == "content:read");
    BOOST_TEST(client.patch(path, R"({"name":"renamed"})", again).status == 200u);
    BOOST_TEST(client.del(path, again).status == 204u);
    BOOST_TEST(post_key(R"({"name":"k"})").status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_key_is_valid_until_it_expires, minting_fixture)
{
    auto key = mint(support::object({{"name", "k"}, {"expires_at", from_now(1h)}}));
    auto late = mint(support::object({{"name", "k"}, {"expires_at", from_now(1h)}}));
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = '" + prefix_of(late) +
           "'");
    auto refused = client.get(base + "/me", late);
    BOOST_TEST(refused.status == 401u);
    BOOST_TEST(refused.code() == "token_expired");
    BOOST_TEST(refused.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_cached_key_expires, minting_fixture)
{
    auto key = mint(support::object({{"name", "k"}, {"expires_at", from_now(5s)}}));
    support::response last;
    BOOST_TEST(support::eventually([&] {
        last = client.get(base + "/auth", key);
        return last.status != 200u;
    }));
    BOOST_TEST(last.status == 401u);
    BOOST_TEST(last.code() == "token_expired");
}

BOOST_FIXTURE_TEST_CASE(last_used_at_is_recorded, minting_fixture)
{
    auto key = mint(R"({"name":"k"})");
    auto path = base + "/api-keys/" + prefix_of(key);
    BOOST_TEST(json_at(client.get(path, token), "/last_used_at") == "null");
    client.get(base + "/auth", key);
    std::string used;
    BOOST_TEST(support::eventually([&] {
        used = client.get(path, token).text("/last_used_at");
        return !used.empty();
    }));
    BOOST_TEST(is_recent(used));
}

BOOST_FIXTURE_TEST_CASE(minting_is_audited, minting_fixture)
{
    client.set("User-Agent", "engine/1");
    client.set("X-Request-Id", "mint-1");
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(
        db.sql("SELECT concat_ws(' ', target, actor_id, workspace_id, ip, user_agent, request_id) FROM "
               "audit WHERE action = 'api_key.mint'") ==
        prefix_of(key) + " " + user + " " + workspace + " 127.0.0.1 engine/1 mint-1");
}

BOOST_FIXTURE_TEST_CASE(the_admin_path_is_an_alias, minting_fixture)
{
    const std::string alias = "/api/v1/admin/api-keys";
    auto made = client.post(alias, R"({"name":"k","scopes":["content:read"]})", token);
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(member_names(made) == "id prefix name secret scopes owner created_at expires_at");
    BOOST_TEST(client.get(base + "/auth", made.text("/secret")).status == 200u);
    BOOST_TEST(validation_errors(client.post(alias, R"({"name":"k","scopes":["no:such"]})", token)) ==
               "body.scopes.0 value_error");

    auto page = client.get(alias + "?limit=1&status=active", token);
    BOOST_TEST(page.body == client.get(base + "/api-keys?limit=1&status=active", token).body);
    BOOST_TEST(item_texts(page, "prefix").front() == made.text("/prefix"));
    BOOST_TEST(client.get(alias, made.text("/secret")).text("/required") == "api_keys:read");
    BOOST_TEST(client.get(alias).status == 401u);

    BOOST_TEST(client.del(alias + "/" + made.text("/prefix"), token).status == 204u);
    BOOST_TEST(client.get(base + "/auth", made.text("/secret")).status == 401u);
    BOOST_TEST(client.del(alias + "/" + made.text("/prefix"), token).status == 204u);
    BOOST_TEST(client.del(alias + "/aaaaaaaa", token).status == 404u);
}

BOOST_AUTO_TEST_SUITE_END()
