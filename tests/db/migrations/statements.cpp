// On which side of the wall between workspaces each statement of the program runs.
#include "db/postgres/statement.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <regex>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(statements)

namespace {

/// Why a statement that touches walled tables is not of one workspace.
std::map<std::string, std::string> outside()
{
    const std::pair<const char*, std::vector<const char*>> reasons[] = {
        {"a person, in whatever workspaces they are",
         {"users_find",
          "users_find_by_email",
          "users_find_notifications",
          "users_update_notifications",
          "users_update_profile",
          "users_update_password_hash",
          "users_set_password",
          "users_set_name",
          "users_set_last_workspace",
          "users_change_email",
          "users_verify_email",
          "users_disable",
          "users_find_disabled",
          "users_restore",
          "users_dispossess",
          "users_find_reach",
          "users_vacate",
          "users_delete",
          "avatars_find",
          "avatars_remove",
          "avatars_replace",
          "devices_note",
          "one_time_tokens_find",
          "one_time_tokens_spend",
          "oauth_find_user",
          "oauth_put_grant",
          "oauth_delete_grant",
          "sessions_insert",
          "sessions_find_user",
          "sessions_revoke",
          "sessions_end",
          "standing_password",
          "api_keys_list_live",
          "api_keys_revoke_of_user",
          "invites_cancel_all_by",
          "join_requests_settle"}},
        {"which workspaces a person has, or is led to",
         {"memberships_list", "memberships_list_page", "memberships_count", "users_find_place",
          "users_find_place_by_email", "sessions_find_place", "sessions_lead_somewhere", "sessions_refresh"}},
        {"the workspace is only just being made, or its first member, or is asked by who is no member yet",
         {"users_insert", "workspaces_insert", "memberships_insert", "join_requests_find_workspace",
          "join_requests_insert"}},
        {"known by a secret alone, which tells the workspace",
         {"principals_find_keys", "principals_find_sessions", "api_keys_find_by_digest",
          "api_keys_revoke_by_digest", "api_keys_claim", "api_keys_find_revoked_by_digest",
          "outbox_insert_to_key_owner", "invites_find_by_token", "invites_accept"}},
        {"upkeep of all workspaces at once", {"purge_invites", "purge_orphaned_letters", "usage_write_keys"}},
        {"runs on either side, as its batch does",
         {"audit_insert", "standing_require", "outbox_insert_to_user", "outbox_insert_to_address"}},
    };
    std::map<std::string, std::string> out;
    for (const auto& [reason, names] : reasons)
        for (auto name : names)
            out.emplace(name, reason);
    return out;
}

/// Walled tables, and what leads to them: views and functions, and functions that call these.
std::string ways_to_walled_tables(const support::database& data)
{
    std::string ways = data.sql("SELECT string_agg(DISTINCT polrelid::regclass::text, '|') FROM pg_policy "
                                "WHERE polname = 'one_workspace'");
    for (std::string before; ways != before;) {
        before = ways;
        auto names_one = R"( ~ '\m()" + before + R"()\M')";
        ways = data.sql(
            "SELECT string_agg(DISTINCT name, '|' ORDER BY name) FROM ("
            " SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            "   AND proname NOT IN ('wall_stands', 'raise_wall') AND prosrc" +
            names_one +
            " UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public' AND definition" +
            names_one + " UNION ALL SELECT * FROM string_to_table('" + before + "', '|')) AS found (name)");
    }
    return ways;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(each_is_of_one_workspace_or_known_to_be_not, support::database)
{
    auto known = outside();
    std::regex touching("\\b(" + ways_to_walled_tables(*this) + ")\\b");
    for (auto each = db::statement::first(); each; each = each->next()) {
        std::string name = each->name();
        if (name.starts_with("test_"))
            continue;
        bool touches = std::regex_search(each->sql(), touching);
        bool marked = each->touched() == db::rows::of_one_workspace;
        bool listed = known.erase(name) > 0;
        BOOST_TEST((touches ? marked != listed : !marked && !listed),
                   name << (touches
                                ? " touches tables of workspaces: mark it as of_one_workspace, or else list "
                                  "it here with its reason"
                                : " touches no table of a workspace, so it is neither marked nor listed"));
    }
    for (const auto& [name, reason] : known)
        BOOST_TEST(false, "there is no statement " << name << " (" << reason << ")");
}

BOOST_AUTO_TEST_SUITE_END()
