// No function of the schema, and no foreign key, reads a whole table that grows.
#include "tests/db/migrations/filled_database.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <sstream>
#include <string>

BOOST_AUTO_TEST_SUITE(function_plans)

namespace {

const char* const valid_credential =
    "SELECT require_valid_credential(id('key', 7), id('workspace', 8), id('user', 8), "
    "(SELECT id FROM memberships WHERE workspace_id = id('workspace', 8) AND user_id = id('user', 8)), "
    "'admin', true, true, '{a}', NULL, true)";

/** A statement that runs each function, for user 8, who owns workspace 8 and belongs to workspace 9; see
    filled_database.hpp. A new function needs a line here. */
const std::map<std::string, std::string> calls{
    {"accept_invite", "UPDATE invites SET email_normalized = '50@x.example' WHERE id = id('invite', 7); "
                      "SELECT accept_invite(sha256('7'), id('user', 50))"},
    {"acknowledge_changes", "SELECT acknowledge_changes(id('node', 1), '{}', '{}')"},
    {"admit_mail",
     "INSERT INTO outbox (id, kind, user_id, recipient, sender_id, workspace_id) VALUES "
     "(gen_random_uuid(), 'invite', id('user', 8), '8@x.example', id('user', 9), id('workspace', 8))"},
    {"affected_workspaces", "SELECT * FROM affected_workspaces(id('user', 8))"},
    {"audit_event", "SELECT audit_event('{}')"},
    {"audit_subjects", "SELECT audit_subjects(u) FROM users u WHERE id = id('user', 8)"},
    {"cancel_invites", "SELECT cancel_invites(id('user', 8), NULL, NULL); "
                       "SELECT cancel_invites(id('user', 9), id('workspace', 9), 'member')"},
    {"cancel_mail", "SELECT cancel_mail(id('user', 8))"},
    {"consume_one_time_token", "SELECT consume_one_time_token(sha256('8'), 'verify_email')"},
    {"consume_pending_signup", "SELECT consume_pending_signup(sha256('8'))"},
    {"current_workspace", "SELECT current_workspace()"},
    {"delete_account",
     "DELETE FROM memberships WHERE workspace_id = id('workspace', 8) AND user_id = id('user', 7); "
     "SELECT * FROM delete_account(id('user', 8))"},
    {"domain_of", "SELECT domain_of('a@b')"},
    {"enable_row_security", "SELECT enable_row_security()"},
    {"erase_mail_author", "DELETE FROM workspaces WHERE owner_id = id('user', 8); "
                          "DELETE FROM users WHERE id = id('user', 8)"},
    {"erase_personal_data", "DELETE FROM workspaces WHERE owner_id = id('user', 8); "
                            "DELETE FROM users WHERE id = id('user', 8)"},
    {"exceeded_mail_budget", "SELECT exceeded_mail_budget(o, k, sha256('8'), id('user', 8)) "
                             "FROM outbox o JOIN mail_kinds k ON k.kind = o.kind WHERE id = id('mail', 8)"},
    {"follow_key_owner",
     "UPDATE users SET disabled_at = now() WHERE id = id('user', 8); "
     "UPDATE workspaces SET owner_id = id('user', 7) WHERE id = id('workspace', 8); "
     "DELETE FROM memberships WHERE workspace_id = id('workspace', 9) AND user_id = id('user', 8); "
     "SET CONSTRAINTS ALL IMMEDIATE"},
    {"follow_email_change", "UPDATE users SET email_normalized = 'other@x.example' WHERE id = id('user', 8)"},
    {"grant_to_workspaces", "SELECT grant_to_workspaces('users')"},
    {"has_verified_domain", "SELECT has_verified_domain(w) FROM workspaces w WHERE id = id('workspace', 8)"},
    {"is_proved", "SELECT is_proved(u) FROM users u WHERE id = id('user', 8)"},
    {"lock_account_for_deletion", "DELETE FROM memberships WHERE workspace_id = id('workspace', 8) "
                                  "AND user_id = id('user', 7); "
                                  "SELECT lock_account_for_deletion(id('user', 8))"},
    {"lock_rows",
     "SELECT lock_rows(ARRAY[id('workspace', 8)], 'share', ARRAY[id('user', 8)], 'share', true, '{}', "
     "id('user', 8), ARRAY[id('key', 8)]); "
     "SELECT lock_rows('{}', 'key share', '{}', 'key share', false, ARRAY[id('session', 8)], NULL, '{}')"},
    {"lock_session", "UPDATE sessions SET workspace_id = id('workspace', 70) WHERE id = id('session', 7); "
                     "SELECT lock_session(id('session', 7), true)"},
    {"mail_subject", "SELECT mail_subject('a@b')"},
    {"may_invite", "SELECT may_invite('admin', 'member')"},
    {"notify_change", "UPDATE sessions SET revoked_at = now() WHERE id = id('session', 8)"},
    {"notify_membership", "INSERT INTO memberships (workspace_id, user_id, role) VALUES "
                          "(id('workspace', 8), id('user', 50), 'member')"},
    {"next_share", "SELECT next_share(10, 3)"},
    {"personal_audit_events", "SELECT personal_audit_events(u) FROM users u WHERE id = id('user', 8)"},
    {"personal_invites", "SELECT personal_invites(u) FROM users u WHERE id = id('user', 8)"},
    {"publish_change", "SELECT publish_change(id('node', 1), true)"},
    {"queue_token_revocation", "DELETE FROM oauth_grants WHERE user_id = id('user', 8)"},
    {"record_mail_drop", "SELECT record_mail_drop(o, 'sender') FROM outbox o WHERE id = id('mail', 8)"},
    {"record_refusal",
     "SELECT record_refusal(jsonb_build_object('id', id('event', 0), 'action', 'a', 'ip', '', "
     "'user_agent', '', 'request_id', '', 'details', '{}', 'aggregate_key', 'k8'), id('user', 8), 1)"},
    {"refuse_lease_change", "UPDATE nodes SET epoch = epoch + 1, request = request + 1"}, // it has no query
    {"refresh_api_key_principals", "SELECT refresh_api_key_principals(id('user', 8), NULL); "
                                   "SELECT refresh_api_key_principals(id('user', 8), id('workspace', 8))"},
    {"remember_released_email", "UPDATE users SET email_normalized = 'released/8' WHERE id = id('user', 8)"},
    {"remove_member", "SELECT remove_member(id('workspace', 8), id('user', 7))"},
    {"republish_changes",
     "SELECT republish_changes(id('node', 1), ARRAY[id('node', 2)], ARRAY[id('event', 1)])"},
    {"require_other_admin", "SELECT require_other_admin(id('workspace', 8), id('user', 7))"},
    {"require_unchanged_password", "SELECT require_unchanged_password(id('user', 8), 0)"},
    {"require_valid_credential", valid_credential},
    {"resolve_join_request",
     "UPDATE workspaces SET join_domain = 'x.example' WHERE id = id('workspace', 10); "
     "SELECT resolve_join_request(id('user', 8), jsonb_build_object('id', id('event', 0), "
     "'action', 'a', 'ip', '', 'user_agent', '', 'request_id', '', 'details', '{}'))"},
    {"retire_account", "UPDATE users SET email_verified_at = NULL WHERE id = id('user', 8); "
                       "SELECT * FROM retire_account(id('user', 8))"},
    {"row_security_enabled", "SELECT row_security_enabled()"},
    {"set_member_role", "SELECT set_member_role(id('workspace', 8), id('user', 7), 'member')"},
    {"set_workspace_author",
     "INSERT INTO workspaces (id, name, owner_id) VALUES (gen_random_uuid(), 'w', id('user', 8))"},
    {"store_api_key_principal", "UPDATE api_keys SET scopes = '{b}' WHERE id = id('key', 8); "
                                "UPDATE api_keys SET membership_id = id('event', 8) WHERE id = id('key', 8); "
                                "UPDATE api_keys SET revoked_at = now() WHERE id = id('key', 8)"},
    {"sync_invites_with_key", "UPDATE api_keys SET revoked_at = now() WHERE id = id('key', 8)"},
    {"transfer_ownership", "SELECT transfer_ownership(id('workspace', 8), id('user', 8), id('user', 7))"},
    {"upsert_oauth_grant", "SELECT upsert_oauth_grant('google', 'https://accounts.google.com', '8', "
                           "id('user', 8), '8@x.example', 'x', true)"},
    {"uuid_v7", "SELECT uuid_v7()"},
    {"wants_mail", "SELECT wants_mail(u, 'invite') FROM users u WHERE id = id('user', 8)"},
    {"workspace_privileges", "SELECT workspace_privileges('users', 'name')"},
    {"workspace_for_domain", "SELECT workspace_for_domain('d8.example')"},
};

/// The lines of plans that scan a table, except for tables of a fixed size.
std::set<std::string> table_scans(const std::string& plans)
{
    const std::set<std::string> fixed{"mail_limits", "mail_kinds", "mail_hours", "nodes"};
    std::set<std::string> out;
    std::istringstream lines(plans);
    std::string query;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("Query Text:") != line.npos)
            query = line;
        constexpr std::string_view scan = "Seq Scan on ";
        auto at = line.find(scan);
        if (at == line.npos)
            continue;
        auto table = line.substr(at + scan.size());
        table.resize(std::min(table.size(), table.find(' ')));
        if (!table.starts_with("pg_") && !fixed.contains(table))
            out.insert(table + ": " + query);
    }
    return out;
}

std::string join(const std::set<std::string>& lines)
{
    std::string out;
    for (auto& line : lines)
        out += line + "\n";
    return out;
}

std::string functions_of(const support::database& data)
{
    return data.sql("SELECT string_agg(DISTINCT proname, ' ') FROM pg_proc WHERE pronamespace = "
                    "'public'::regnamespace AND proname <> 'refuse_unpublished_change'");
}

} // namespace

BOOST_FIXTURE_TEST_CASE(no_function_scans_a_table_that_grows, db::test::filled_database)
{
    auto unlisted = calls;
    std::istringstream names(functions_of(*this));
    for (std::string name; names >> name; unlisted.erase(name)) {
        auto found = calls.find(name);
        BOOST_TEST((found != calls.end()), "a call of " << name << " is missing here");
        if (found == calls.end())
            continue;
        auto plans = explain(found->second);
        BOOST_TEST(plans.find("Query Text:") != plans.npos, name);
        BOOST_TEST(join(table_scans(plans)) == "", name);
    }
    for (auto& [name, call] : unlisted)
        BOOST_TEST(false, "there is no function " << name);
}

BOOST_FIXTURE_TEST_CASE(a_scan_is_found_in_a_function_and_behind_a_foreign_key, db::test::filled_database)
{
    sql("DROP INDEX sessions_workspace, audit_target");
    auto found = join(table_scans(explain(calls.at("delete_account"))));
    BOOST_TEST(found.find("sessions: ") != found.npos, found);
    BOOST_TEST(found.find("audit: ") != found.npos, found);
}

// With the foreign key to the workspace, each would get a new version first, and new entries in all indexes.
BOOST_FIXTURE_TEST_CASE(deleting_an_account_updates_none_of_its_sessions, db::test::filled_database)
{
    auto counts = sql("BEGIN; DELETE FROM memberships WHERE workspace_id = test.id('workspace', 8) "
                      "AND user_id = test.id('user', 7); SELECT delete_account(test.id('user', 8)); "
                      "SELECT n_tup_upd || ' updated, ' || n_tup_del || ' deleted' "
                      "FROM pg_stat_xact_user_tables WHERE relname = 'sessions'");
    BOOST_TEST(counts == "0 updated, 3 deleted");
}

// Without one, deleting the referenced row scans the referencing table. A partial index serves only if it
// leaves out nothing but nulls.
BOOST_FIXTURE_TEST_CASE(every_foreign_key_has_an_index, support::database)
{
    auto missing = sql(R"(
        SELECT string_agg(conrelid::regclass || ' ' || conname, ', ')
        FROM pg_constraint c
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = c.conrelid AND i.indisvalid
              AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
              AND (i.indpred IS NULL
                   OR pg_get_expr(i.indpred, i.indrelid) =
                      (SELECT string_agg(format('(%I IS NOT NULL)', a.attname), ' AND ')
                       FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)))))");
    BOOST_TEST(missing == "");
    BOOST_TEST(std::stoi(sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")) > 20);
}

BOOST_AUTO_TEST_SUITE_END()
