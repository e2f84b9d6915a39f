// The table of key principals follows its sources: every change, in its own transaction.
#include "tests/db/database_fixture.hpp"
#include "tests/support/database.hpp"
#include "tests/support/key_principals.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(api_key_principals)

using db::test::new_digest;
using db::test::new_id;

namespace {

struct key_principals_fixture : db::test::database_fixture {
    db::uuid other = add_workspace("Looms", bob);
    std::string adas = to_string(add_key(ada).id), bobs = to_string(add_key(bob).id), shared = add_shared();

    std::string add_shared()
    {
        auto id = to_string(new_id());
        data.sql("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, role) VALUES ('" +
                 id + "', 'shared', sha256('shared'), 'ci', '{a}', '" + to_string(workspace) +
                 "', 'manager')");
        return id;
    }

    /// A statement with the names of the fixture in it.
    std::string with_ids(std::string statement) const
    {
        const std::pair<std::string, std::string> names[] = {{":adas", adas},
                                                             {":bobs", bobs},
                                                             {":shared", shared},
                                                             {":ada", to_string(ada)},
                                                             {":bob", to_string(bob)},
                                                             {":workspace", to_string(workspace)},
                                                             {":other", to_string(other)}};
        for (const auto& [name, id] : names)
            for (auto at = statement.find(name); at != statement.npos; at = statement.find(name, at))
                statement.replace(at, name.size(), "'" + id + "'");
        return statement;
    }

    std::string principal_of(const std::string& key) const
    {
        return data.sql(
            "SELECT format('%s %s %s %s %s', coalesce(role::text, '-'), membership_id IS NOT NULL, "
            "is_owner, email_verified, user_disabled) FROM api_key_principals WHERE id = '" +
            key + "'");
    }
};

/// Every way to change what a principal contains, by a statement without the program.
const char* const all_changes[] = {
    "UPDATE api_keys SET scopes = '{b,c}'",
    "UPDATE api_keys SET expires_at = now() + interval '1 hour'",
    "UPDATE api_keys SET digest = sha256(digest), prefix = 'new' || prefix WHERE id = :adas",
    "UPDATE api_keys SET role = 'member' WHERE id = :shared",
    "UPDATE api_keys SET revoked_at = now() WHERE id = :bobs",
    "UPDATE api_keys SET revoked_at = now(); UPDATE api_keys SET revoked_at = NULL",
    "UPDATE api_keys SET user_id = :bob WHERE id = :adas",
    "UPDATE api_keys SET workspace_id = :other WHERE id = :bobs",
    "UPDATE api_keys SET membership_id = (SELECT id FROM memberships WHERE workspace_id = :workspace AND "
    "user_id = :ada), user_id = :ada WHERE id = :bobs",
    "UPDATE api_keys SET user_id = NULL, role = 'admin' WHERE id = :bobs",
    "UPDATE api_keys SET last_used_at = now()",
    "DELETE FROM api_keys WHERE id = :adas",
    "INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id) "
    "SELECT gen_random_uuid(), 'more', sha256('more'), 'ci', '{a}', :workspace, :bob",
    "INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, revoked_at) "
    "SELECT gen_random_uuid(), 'ended', sha256('ended'), 'ci', '{a}', :workspace, :bob, now()",
    "UPDATE memberships SET role = 'manager' WHERE user_id = :bob",
    "UPDATE memberships SET id = gen_random_uuid() WHERE user_id = :bob",
    "UPDATE memberships SET workspace_id = :other WHERE user_id = :ada",
    "DELETE FROM memberships WHERE user_id = :bob",
    "CREATE TEMP TABLE before AS TABLE memberships; DELETE FROM memberships; "
    "INSERT INTO memberships SELECT * FROM before",
    "DELETE FROM memberships; "
    "INSERT INTO memberships (workspace_id, user_id, role) VALUES (:workspace, :bob, 'admin')",
    "UPDATE users SET email_verified_at = now()",
    "UPDATE users SET email_verified_at = now(); UPDATE users SET email_verified_at = NULL WHERE id = :ada",
    "UPDATE users SET disabled_at = now() WHERE id = :bob",
    "UPDATE users SET name = 'Augusta'",
    "UPDATE workspaces SET owner_id = :bob WHERE id = :workspace",
    "UPDATE workspaces SET owner_id = :ada WHERE id = :other",
    "UPDATE workspaces SET members_can_mint_keys = false",
    "DELETE FROM workspaces WHERE id = :workspace",
    "DELETE FROM workspaces; DELETE FROM users",
    "SELECT remove_member(:workspace, :bob)",
    "SELECT set_member_role(:workspace, :bob, 'admin')",
    "SELECT set_member_role(:workspace, :bob, 'admin'); SELECT transfer_ownership(:workspace, :ada, :bob)",
    "DELETE FROM memberships WHERE workspace_id = :workspace AND user_id = :bob; SELECT delete_account(:ada)",
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_principal_has_the_rights_of_its_key_and_its_owner, key_principals_fixture)
{
    BOOST_TEST(principal_of(adas) == "admin t t f f");
    BOOST_TEST(principal_of(bobs) == "member t f f f");
    BOOST_TEST(principal_of(shared) == "manager f f f f");
    data.sql(with_ids("UPDATE users SET email_verified_at = now(), disabled_at = now() WHERE id = :bob; "
                      "UPDATE workspaces SET owner_id = :bob WHERE id = :workspace; "
                      "UPDATE memberships SET role = 'admin' WHERE user_id = :bob"));
    BOOST_TEST(principal_of(adas) == "admin t f f f");
    BOOST_TEST(principal_of(bobs) == "admin t t t t");
    data.sql(with_ids("DELETE FROM memberships WHERE user_id = :bob"));
    BOOST_TEST(principal_of(bobs) == "- f t t t");
    data.sql("UPDATE api_keys SET revoked_at = now()");
    BOOST_TEST(data.sql("SELECT count(*) FROM api_key_principals") == "0");
}

BOOST_FIXTURE_TEST_CASE(it_follows_every_change_of_its_sources, key_principals_fixture)
{
    // In the transaction of the change: the comparison is made before its end, on the same connection.
    for (auto change : all_changes) {
        support::sql_connection connection(data.conninfo());
        connection.run("BEGIN; " + with_ids(change) + "; SET CONSTRAINTS ALL IMMEDIATE");
        auto different = connection.run(support::compare_key_principals);
        BOOST_TEST(different == "", change << ": " << different);
        connection.run("ROLLBACK");
    }
}

BOOST_FIXTURE_TEST_CASE(it_follows_changes_that_are_made_under_row_level_security, key_principals_fixture)
{
    if (data.sql("SELECT enable_row_security()") != "t")
        return;
    for (auto change :
         {"SELECT remove_member(:workspace, :bob)", "SELECT set_member_role(:workspace, :bob, 'admin')",
          "UPDATE api_keys SET scopes = '{b}', expires_at = now()",
          "UPDATE api_keys SET revoked_at = now() WHERE id = :bobs",
          "DELETE FROM memberships WHERE user_id = :bob"}) {
        data.sql(with_ids("BEGIN; SET LOCAL latchkey.workspace = " + with_ids(":workspace") +
                          "; SET LOCAL ROLE latchkey_workspace; " + change + "; COMMIT"));
        auto different = support::stale_key_principals(data.conninfo());
        BOOST_TEST(different == "", change << ": " << different);
    }
}

// Either transaction may be the first to commit; the row must have both changes.
BOOST_FIXTURE_TEST_CASE(a_key_that_is_minted_during_a_change_of_its_owner_has_the_new_state,
                        key_principals_fixture)
{
    const std::string mint =
        "INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, "
        "membership_id) SELECT gen_random_uuid(), 'during' || $n, sha256(('during' || $n)::bytea), "
        "'ci', '{a}', workspace_id, user_id, id FROM memberships "
        "WHERE workspace_id = :workspace AND user_id = :bob";
    const char* const owners[] = {
        "UPDATE memberships SET role = 'manager' WHERE user_id = :bob",
        "UPDATE users SET disabled_at = now() WHERE id = :bob",
        "UPDATE workspaces SET owner_id = :bob WHERE id = :workspace",
        "DELETE FROM memberships WHERE workspace_id = :workspace AND user_id = :bob"};
    int number = 0;
    for (auto owner : owners) {
        for (bool mints_first : {true, false}) {
            auto minting = with_ids(mint);
            for (auto at = minting.find("$n"); at != minting.npos; at = minting.find("$n"))
                minting.replace(at, 2, "'" + std::to_string(number) + "'");
            ++number;
            support::sql_connection first(data.conninfo()), second(data.conninfo());
            auto changing = with_ids(owner);
            first.run("BEGIN; " + (mints_first ? minting : changing));
            // The second may wait for the first.
            std::jthread waits(
                [&] { second.run("BEGIN; " + (mints_first ? changing : minting) + "; COMMIT"); });
            for (int polls = 0;
                 polls < 20 && data.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0"; ++polls)
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            first.run("COMMIT");
            waits.join();
            auto different = support::stale_key_principals(data.conninfo());
            BOOST_TEST(different == "",
                       owner << (mints_first ? ", minted first: " : ", changed first: ") << different);
        }
        data.sql(
            with_ids("UPDATE users SET disabled_at = NULL; UPDATE workspaces SET owner_id = :ada WHERE id = "
                     ":workspace; UPDATE memberships SET role = 'member' WHERE user_id = :bob"));
    }
}

BOOST_FIXTURE_TEST_CASE(keys_with_one_digest_head_are_not_confused, key_principals_fixture)
{
    auto find = [&](const db::digest& key) { return run([&] { return one.principals.load_api_key(key); }); };
    auto first = add_key(ada), second = add_key(bob);
    auto same_head = second.digest;
    std::copy_n(first.digest.begin(), 8, same_head.begin());
    auto as_hex = [](const db::digest& bytes) {
        std::string out;
        for (auto byte : bytes) {
            constexpr char digits[] = "0123456789abcdef";
            out += {digits[byte >> 4], digits[byte & 15]};
        }
        return out;
    };
    data.sql("UPDATE api_keys SET digest = '\\x" + as_hex(same_head) + "' WHERE id = '" +
             to_string(second.id) + "'");
    BOOST_TEST((find(first.digest)->credential_id == first.id));
    BOOST_TEST((find(same_head)->credential_id == second.id));
    auto unknown = new_digest();
    std::copy_n(first.digest.begin(), 8, unknown.begin());
    BOOST_TEST(!find(unknown));
}

// Members may depend on the setting; it does not concern admins, so it is not read for them.
BOOST_FIXTURE_TEST_CASE(the_setting_of_the_workspace_is_read_for_members, key_principals_fixture)
{
    auto may_mint = [&](const db::uuid& of) {
        auto key = add_key(of);
        return run([&] { return one.principals.load_api_key(key.digest); })->members_can_mint;
    };
    BOOST_TEST(may_mint(bob));
    data.sql("UPDATE workspaces SET members_can_mint_keys = false");
    BOOST_TEST(!may_mint(bob));
    BOOST_TEST(may_mint(ada));
}

BOOST_FIXTURE_TEST_CASE(a_lookup_reads_one_index_and_no_other_table, key_principals_fixture)
{
    const db::statement* lookup = db::statement::first();
    while (lookup && std::string_view(lookup->name()) != "principals_find_keys")
        lookup = lookup->next();
    BOOST_REQUIRE(lookup);
    auto plan =
        data.sql("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; PREPARE it AS " +
                 std::string(lookup->sql()) + "; EXPLAIN (FORMAT JSON) EXECUTE it('{1,2}')");
    BOOST_TEST(plan.find("\"Index Name\": \"api_key_principals_head\"") != plan.npos, plan);
    BOOST_TEST(plan.find("Join") == plan.npos, plan);
}

// A database of the version before, with keys of all kinds.
BOOST_AUTO_TEST_CASE(the_migration_copies_the_keys_that_exist)
{
    std::string name = "key_principals_before";
    auto conninfo = support::shared_cluster().conninfo(name);
    support::sql(support::shared_cluster().conninfo(), "CREATE DATABASE " + name);
    std::vector<db::migration> before;
    for (const auto& each : db::embedded_migrations())
        if (each.name < "0020")
            before.push_back(each);
    db::migrate(conninfo, before);
    support::sql(conninfo, R"(
        INSERT INTO users (id, email, email_normalized, email_verified_at) SELECT md5('u' || n)::uuid,
            n || '@x.example', n || '@x.example', CASE n % 2 WHEN 0 THEN now() END
            FROM generate_series(1, 9) n;
        INSERT INTO workspaces (id, name, owner_id) SELECT md5('w' || n)::uuid, 'w', md5('u' || n)::uuid
            FROM generate_series(1, 9) n;
        INSERT INTO memberships (workspace_id, user_id, role, id) SELECT md5('w' || n)::uuid,
            md5('u' || k)::uuid, CASE WHEN n = k THEN 'admin' ELSE 'member' END::workspace_role,
            md5('m' || n || k)::uuid FROM generate_series(1, 9) n, generate_series(1, 9) k WHERE k <> 4;
        INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, membership_id,
                              revoked_at)
            SELECT md5('k' || n || k)::uuid, 'p' || n || k, sha256(('k' || n || k)::bytea), 'k', '{a}',
                   md5('w' || n)::uuid, md5('u' || k)::uuid, md5('m' || n || k)::uuid,
                   CASE WHEN k = 5 THEN now() END
            FROM generate_series(1, 9) n, generate_series(1, 9) k;
        INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, role)
            SELECT md5('s' || n)::uuid,
            's' || n, sha256(('s' || n)::bytea), 'k', '{a}', md5('w' || n)::uuid, 'manager'
            FROM generate_series(1, 9) n)");
    db::migrate(conninfo);
    BOOST_TEST(support::sql(conninfo, "SELECT count(*) FROM api_key_principals") ==
               "81"); // 90 less 9 revoked
    BOOST_TEST(support::stale_key_principals(conninfo) == "");
    support::shared_cluster().drop_database(name);
}

BOOST_AUTO_TEST_SUITE_END()
