// Every statement on tables with row-level security is marked as of one workspace, or listed with a reason.
#include "db/postgres/statement.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <regex>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(statements)

namespace {

/// Statements that access tables with row-level security outside of one workspace, with the reason.
std::map<std::string, std::string> unrestricted_statements()
{
    const std::pair<const char*, std::vector<const char*>> reasons[] = {
        {"about a user in all of their workspaces",
         {"users_find",
          "users_find_by_email",
          "users_find_unproved",
          "users_find_common_password_costs",
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
          "users_find_affected_workspaces",
          "users_retire",
          "outbox_insert_to_pending_signup",
          "users_delete",
          "avatars_find",
          "avatars_remove",
          "avatars_replace",
          "row_locks_for_deletion",
          "one_time_tokens_replace",
          "known_devices_find",
          "known_devices_record",
          "one_time_tokens_find",
          "one_time_tokens_consume",
          "oauth_find_user",
          "oauth_upsert_grant",
          "oauth_delete_grant",
          "sessions_insert",
          "sessions_find_user",
          "sessions_revoke",
          "sessions_end",
          "browser_sessions_find_user",
          "browser_sessions_end_replaced",
          "credential_checks_require_password",
          "api_keys_list_live",
          "api_keys_revoke_of_user",
          "invites_cancel_all_by",
          "join_requests_resolve"}},
        {"selects the workspaces of a user, or the one to sign in to",
         {"memberships_list", "memberships_list_page", "memberships_count", "users_find_login_workspace",
          "users_find_login_workspace_by_email", "sessions_find_membership", "sessions_lock",
          "sessions_refresh", "browser_sessions_find_workspaces", "browser_sessions_find_membership"}},
        {"creates the workspace or its first member, or runs for a user who is not a member yet",
         {"users_insert", "workspaces_insert", "memberships_insert", "join_requests_find_workspace",
          "join_requests_insert"}},
        {"looks up a secret, which determines the workspace",
         {"principals_find_keys", "principals_find_sessions", "api_keys_lock_workspace",
          "api_keys_find_by_digest", "api_keys_revoke_by_digest", "api_keys_claim",
          "api_keys_find_revoked_by_digest", "outbox_insert_to_key_owner", "invites_find_by_token",
          "invites_accept"}},
        {"runs before there is an account",
         {"pending_signups_insert", "pending_signups_find", "pending_signups_find_recent",
          "pending_signups_renew", "pending_signups_consume", "pending_signups_remove"}},
        {"reads a user who may have left the workspace", {"api_keys_find_verified_creator"}},
        {"maintenance of all workspaces",
         {"retention_pending_signups", "retention_invites", "retention_mail", "retention_api_keys",
          "retention_audit", "last_used_write_keys", "usage_write", "retention_usage",
          "audit_record_refusals"}},
        {"locks the rows of transactions, each of which names its own workspace, session or secret",
         {"commit_queue_lock_workspaces", "commit_queue_lock_keys", "commit_queue_lock_invites"}},
        {"runs in batches of both kinds",
         {"audit_insert", "row_locks_all", "credential_checks_require_valid", "outbox_insert_to_user",
          "outbox_insert_to_address"}},
    };
    std::map<std::string, std::string> out;
    for (const auto& [reason, names] : reasons)
        for (auto name : names)
            out.emplace(name, reason);
    return out;
}

/// Tables with row-level security, the views and functions on them, and the functions that call these.
std::string restricted_names(const support::database& data)
{
    std::string names = data.sql("SELECT string_agg(DISTINCT polrelid::regclass::text, '|') FROM pg_policy "
                                 "WHERE polname = 'one_workspace'");
    for (std::string previous; names != previous;) {
        previous = names;
        auto mentions_one = R"( ~ '\m()" + previous + R"()\M')";
        names =
            data.sql("SELECT string_agg(DISTINCT name, '|' ORDER BY name) FROM ("
                     " SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
                     "   AND proname NOT IN ('row_security_enabled', 'enable_row_security') AND prosrc" +
                     mentions_one +
                     " UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public' AND definition" +
                     mentions_one + " UNION ALL SELECT * FROM string_to_table('" + previous +
                     "', '|')) AS found (name)");
    }
    return names;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(each_is_marked_or_listed, support::database)
{
    auto known = unrestricted_statements();
    std::regex restricted("\\b(" + restricted_names(*this) + ")\\b");
    for (auto each = db::statement::first(); each; each = each->next()) {
        std::string name = each->name();
        if (name.starts_with("test_"))
            continue;
        bool accesses = std::regex_search(each->sql(), restricted);
        bool marked = each->touched() == db::rows::of_one_workspace;
        bool listed = known.erase(name) > 0;
        BOOST_TEST((accesses ? marked != listed : !marked && !listed),
                   name << (accesses
                                ? " accesses tables with row-level security: mark it as of_one_workspace, "
                                  "or list it here with a reason"
                                : " accesses no table with row-level security, so it must be neither marked "
                                  "nor listed"));
    }
    for (const auto& [name, reason] : known)
        BOOST_TEST(false, "no statement is named " << name << " (" << reason << ")");
}

BOOST_AUTO_TEST_SUITE_END()
