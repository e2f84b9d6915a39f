// GET and PATCH /workspace: access, validation, and immediate effect.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace e2e;

namespace {

struct settings_fixture : team_fixture {
    support::response show(const std::string& with) { return client.get(base + "/workspace", with); }

    support::response change(const std::string& body, const std::string& with)
    {
        return client.patch(base + "/workspace", body, with);
    }

    support::response change(const std::string& body) { return change(body, token); }

    void verify(const std::string& email)
    {
        db.sql("UPDATE users SET email_verified_at = now() WHERE email = '" + email + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(workspace_settings)

BOOST_FIXTURE_TEST_CASE(all_members_can_read_the_settings, settings_fixture)
{
    for (auto& credential : {token, mel.token, bob.token, mint(R"({"name":"k","scopes":["team:read"]})")}) {
        auto shown = show(credential);
        BOOST_TEST(shown.status == 200u);
        BOOST_TEST(member_names(shown) ==
                   "id name owner_id created_at members_can_mint_keys join_policy join_domain "
                   "join_domain_verified");
        BOOST_TEST(shown.text("/id") == workspace);
        BOOST_TEST(shown.text("/name") == "ada's workspace");
        BOOST_TEST(shown.text("/owner_id") == user);
        BOOST_TEST(json_at(shown, "/members_can_mint_keys") == "true");
        BOOST_TEST(shown.text("/join_policy") == "closed");
        BOOST_TEST(json_at(shown, "/join_domain") == "null");
        BOOST_TEST(json_at(shown, "/join_domain_verified") == "false");
    }
    BOOST_TEST(show(mint(R"({"name":"k","scopes":["profile:read"]})")).text("/required") == "team:read");
    BOOST_TEST(summary(show("")) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(each_field_can_be_changed_alone, settings_fixture)
{
    BOOST_TEST(change(R"({"name":"Engines"})").text("/name") == "Engines");
    BOOST_TEST(json_at(change(R"({"members_can_mint_keys":false})"), "/members_can_mint_keys") == "false");
    BOOST_TEST(change(R"({"join_policy":"approval"})").text("/join_policy") == "approval");
    BOOST_TEST(change(R"({"join_domain":"Engines.EXAMPLE"})").text("/join_domain") == "engines.example");
    auto all = show(token);
    BOOST_TEST(all.text("/name") == "Engines");
    BOOST_TEST(json_at(all, "/members_can_mint_keys") == "false");
    BOOST_TEST(all.text("/join_policy") == "approval");
    BOOST_TEST(all.text("/join_domain") == "engines.example");

    auto nothing = change("{}");
    BOOST_TEST(nothing.status == 200u);
    BOOST_TEST(nothing.body == all.body);
    auto cleared = change(R"({"join_domain":null})");
    BOOST_TEST(json_at(cleared, "/join_domain") == "null");
    BOOST_TEST(cleared.text("/name") == "Engines");
    auto back = change(R"({"name":"ada's workspace","members_can_mint_keys":true,"join_policy":"open"})");
    BOOST_TEST(back.text("/join_policy") == "open");
    BOOST_TEST(back.body == show(bob.token).body);
    BOOST_TEST(client.get(base + "/me", bob.token).text("/workspace/name") == "ada's workspace");
}

BOOST_FIXTURE_TEST_CASE(all_errors_are_reported_and_nothing_changes, settings_fixture)
{
    auto before = show(token).body;
    BOOST_TEST(validation_errors(change(R"({"name":"","members_can_mint_keys":"yes","join_policy":"ajar",)"
                                        R"("join_domain":"x","owner_id":null})")) ==
               "body.join_domain value_error, body.join_policy enum, body.members_can_mint_keys bool_type, "
               "body.name string_too_short, body.owner_id extra_forbidden");
    for (std::string field : {"name", "members_can_mint_keys", "join_policy"})
        BOOST_TEST(validation_errors(change("{\"" + field + "\":null}")).starts_with("body." + field + " "),
                   field);
    for (std::string domain : {"", "example", "exa mple.com", "ada@example.com", ".example.com", "-a.example",
                               "192.0.2.1", "https://example.com"})
        BOOST_TEST(change(support::object({{"join_domain", domain}})).status == 422u, domain);
    for (std::string domain : {"gmail.com", "GMAIL.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de"})
        BOOST_TEST(validation_errors(change(support::object({{"name", "x"}, {"join_domain", domain}}))) ==
                       "body.join_domain value_error",
                   domain);
    BOOST_TEST(show(token).body == before);
}

BOOST_FIXTURE_TEST_CASE(changes_require_the_permission, settings_fixture)
{
    auto before = show(token).body;
    for (auto& credential : {mel.token, bob.token, mint(R"({"name":"k","scopes":["team:read"]})")}) {
        auto refused = change(R"({"name":"x"})", credential);
        BOOST_TEST(summary(refused) == "403 forbidden_scope");
        BOOST_TEST(refused.text("/required") == "settings:manage");
    }
    BOOST_TEST(show(token).body == before);
    auto key = mint(R"({"name":"k","scopes":["settings:manage"]})");
    BOOST_TEST(change(R"({"name":"By a key"})", key).text("/name") == "By a key");
    auto workspace_key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(change(R"({"name":"By a key"})", workspace_key).text("/name") == "By a key");
    db.sql("UPDATE memberships SET role = 'admin' WHERE user_id = '" + mel.user + "'");
    auto mels = log_in(client, "mel@example.com").token;
    BOOST_TEST(change(R"({"name":"By another admin"})", mels).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_domain_is_verified_by_an_admin_with_an_address_of_it, settings_fixture)
{
    auto is_verified = [this] { return json_at(show(token), "/join_domain_verified"); };
    BOOST_TEST(json_at(change(R"({"join_domain":"example.com"})"), "/join_domain_verified") == "false");
    verify("bob@example.com");
    BOOST_TEST(is_verified() == "false"); // a member's address does not verify it
    BOOST_REQUIRE(client.patch(base + "/team/" + bob.user, R"({"role":"admin"})", token).status == 200u);
    BOOST_TEST(is_verified() == "true");
    BOOST_TEST(json_at(change(R"({"join_domain":"sub.example.com"})"), "/join_domain_verified") == "false");
    BOOST_TEST(json_at(change(R"({"join_domain":"ample.com"})"), "/join_domain_verified") == "false");
    BOOST_TEST(json_at(change(R"({"join_domain":"EXAMPLE.com"})"), "/join_domain_verified") == "true");
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + bob.user + "'");
    BOOST_TEST(is_verified() == "false");
    db.sql("UPDATE users SET disabled_at = NULL WHERE id = '" + bob.user + "'");
    BOOST_TEST(is_verified() == "true");
    BOOST_REQUIRE(client.del(base + "/team/" + bob.user, token).status == 204u);
    BOOST_TEST(is_verified() == "false"); // addresses of former members do not count
}

BOOST_FIXTURE_TEST_CASE(the_setting_for_minting_applies_to_the_next_request_on_every_core, settings_fixture)
{
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", bob.token).text("/secret");
    auto workspace_key = mint(R"({"name":"w","owner":"workspace","role":"member"})");
    auto mint_with = [&](const std::string& with) {
        return on_all_cores(server, post_request("/api-keys", R"({"name":"more"})", with));
    };
    for (int round = 0; round < 3; ++round) {
        BOOST_REQUIRE(change(R"({"members_can_mint_keys":false})").status == 200u);
        BOOST_TEST(mint_with(bob.token) == "403 forbidden_scope");
        BOOST_TEST(mint_with(key) == "403 forbidden_scope");
        BOOST_TEST(mint_with(mel.token) == "403 forbidden_scope"); // managers are no admins
        BOOST_TEST(mint_with(token) == "201");
        BOOST_TEST(on_all_cores(server, get_request("/me", key)) == "200");
        BOOST_REQUIRE(change(R"({"members_can_mint_keys":true})").status == 200u);
        BOOST_TEST(mint_with(bob.token) == "201");
        BOOST_TEST(mint_with(key) == "201");
        BOOST_TEST(mint_with(workspace_key) == "403 forbidden"); // a workspace's key has none of its own
    }
}

BOOST_AUTO_TEST_SUITE_END()
