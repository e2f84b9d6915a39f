// Tenant isolation: row-level security confines statements without a workspace condition.
#include "db/postgres/row_security.hpp"

#include "db/migrations/migrations.hpp"
#include "db/postgres/batch.hpp"
#include "db/postgres/pipeline.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

BOOST_AUTO_TEST_SUITE(row_security)

namespace {

using db::failure;

const std::string tables_with_policies[] = {
    "workspaces", "memberships",   "api_keys", "invites", "replaced_invite_tokens",
    "users",      "join_requests", "audit"};

std::string count_all()
{
    std::string sql;
    for (const auto& table : tables_with_policies)
        sql += (sql.empty() ? "SELECT '" : " UNION ALL SELECT '") + table + "', count(*) FROM " + table;
    return "SELECT string_agg(t || ' ' || n, ', ' ORDER BY t) FROM (" + sql + ") AS counted (t, n)";
}

const db::statement count_rows{"test_rls_count", count_all()};
const db::statement names{"test_rls_names", "SELECT string_agg(name, ', ' ORDER BY name) FROM workspaces"};
const db::statement current_role{
    "test_rls_where",
    "SELECT current_user || ' ' || coalesce(current_setting('latchkey.workspace', true), '')"};
const db::statement echo{"test_rls_echo", "SELECT $1::text"};
const db::statement divide{"test_rls_divide", "SELECT 1 / $1::int4"};
const db::statement rename_all{"test_rls_rename", "UPDATE api_keys SET name = $1"};
const db::statement delete_all{"test_rls_delete", "DELETE FROM api_keys"};
const db::statement move_keys{"test_rls_move", "UPDATE api_keys SET workspace_id = $1"};
const db::statement join{"test_rls_join",
                         "INSERT INTO memberships (workspace_id, user_id, role) VALUES ($1, $2, 'member')"};
const db::statement lock_all{"test_rls_lock", "SELECT id FROM users FOR SHARE"};
const db::statement secrets{"test_rls_secrets", "SELECT count(*) FROM signing_keys"};
const db::statement marked{"test_rls_marked", db::rows::of_one_workspace, "SELECT count(*) FROM workspaces"};

/// Ada's workspace, and Eve's, which has one more row in every table.
struct two_workspaces : db::test::database_fixture {
    two_workspaces()
    {
        eve = add_user("eve@example.org");
        fay = add_user("fay@example.org");
        gus = add_user("gus@example.org");
        hal = add_user("hal@example.org");
        other = add_workspace("Leaks", eve);
        add_member(other, fay, "member");
        add_member(other, gus, "member");
        add_rows(workspace, ada, 1);
        add_rows(other, eve, 2);
        data.sql("INSERT INTO join_requests (user_id, workspace_id) VALUES ('" + to_string(hal) + "', '" +
                 to_string(other) + "')");
    }

    void add_rows(const db::uuid& workspace_id, const db::uuid& user_id, int times)
    {
        auto space = "'" + to_string(workspace_id) + "'", person = "'" + to_string(user_id) + "'";
        for (int each = 0; each < times; ++each) {
            auto id = "'" + to_string(db::test::new_id()) + "'";
            data.sql(
                "INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id) VALUES (" +
                id + ", " + id + ", convert_to(" + id + ", 'UTF8'), 'ci', '{*}', " + space + ", " + person +
                ");"
                "INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, expires_at)"
                " VALUES (" +
                id + ", " + space + ", " + id + ", " + id + ", 'member', convert_to(" + id +
                ", 'UTF8'), now());"
                "INSERT INTO replaced_invite_tokens VALUES (convert_to(" +
                id + ", 'UTF8'), " + id +
                ");"
                "INSERT INTO audit (id, workspace_id, action, ip, user_agent, request_id) VALUES (" +
                id + ", " + space + ", 'test', '', '', ''), (gen_random_uuid(), NULL, 'test', '', '', '')");
        }
    }

    template <class... Values>
    db::result in_workspace(const db::uuid& where, const db::statement& stmt, const Values&... values)
    {
        return run([&] { return one.db.run_in_workspace(where, stmt, values...); });
    }

    template <class... Values>
    db::result outside(const db::statement& stmt, const Values&... values)
    {
        return run([&] { return one.db.run(stmt, values...); });
    }

    template <class... Values>
    std::string sqlstate_of(const db::uuid& where, const db::statement& stmt, const Values&... values)
    {
        try {
            in_workspace(where, stmt, values...);
        } catch (const failure& why) {
            return std::string(why.sqlstate());
        }
        return "";
    }

    db::uuid eve, fay, gus, hal, other;
};

const std::string of_adas = "api_keys 1, audit 1, invites 1, join_requests 0, memberships 2, "
                            "replaced_invite_tokens 1, users 2, workspaces 1";
const std::string of_eves = "api_keys 2, audit 2, invites 2, join_requests 1, memberships 3, "
                            "replaced_invite_tokens 2, users 4, workspaces 1";
const std::string of_all = "api_keys 3, audit 6, invites 3, join_requests 1, memberships 5, "
                           "replaced_invite_tokens 3, users 6, workspaces 2";
const std::string of_none = "api_keys 0, audit 0, invites 0, join_requests 0, memberships 0, "
                            "replaced_invite_tokens 0, users 0, workspaces 0";

} // namespace

BOOST_FIXTURE_TEST_CASE(a_statement_without_a_condition_sees_only_its_workspace, two_workspaces)
{
    BOOST_TEST(in_workspace(workspace, count_rows).scalar<std::string>() == of_adas);
    BOOST_TEST(in_workspace(other, count_rows).scalar<std::string>() == of_eves);
    BOOST_TEST(in_workspace(db::test::new_id(), count_rows).scalar<std::string>() == of_none);
    BOOST_TEST(outside(count_rows).scalar<std::string>() == of_all);
}

BOOST_FIXTURE_TEST_CASE(a_statement_without_a_condition_changes_and_locks_only_its_workspace, two_workspaces)
{
    BOOST_TEST(in_workspace(workspace, rename_all, "mine").affected() == 1u);
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE name = 'mine'") == "1");
    BOOST_TEST(in_workspace(workspace, lock_all).size() == 2u);
    BOOST_TEST(in_workspace(other, delete_all).affected() == 2u);
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE name = 'mine'") == "1");
}

BOOST_FIXTURE_TEST_CASE(no_row_is_inserted_into_another_workspace, two_workspaces)
{
    BOOST_TEST(sqlstate_of(workspace, join, other, bob) == "42501");
    BOOST_TEST(sqlstate_of(workspace, move_keys, other) == "42501");
    auto foreign = db::test::event("test");
    for (auto where : {std::optional(other), std::optional<db::uuid>()}) { // NULL is another workspace too
        foreign.workspace_id = where;
        BOOST_CHECK_EXCEPTION(
            commit([&](db::batch& work) { db::audit::add(work.in_workspace(workspace), foreign); }), failure,
            [](const failure& why) { return why.sqlstate() == "42501"; });
    }
    BOOST_TEST(outside(count_rows).scalar<std::string>() == of_all);
}

BOOST_FIXTURE_TEST_CASE(tables_of_secrets_are_inaccessible, two_workspaces)
{
    BOOST_TEST(sqlstate_of(workspace, secrets) == "42501");
}

BOOST_FIXTURE_TEST_CASE(answers_have_the_same_indexes_with_row_security, two_workspaces)
{
    auto answers =
        commit([&](db::batch& work) { work.in_workspace(workspace).add(echo, "a").add(echo, "b"); });
    BOOST_TEST(answers.size() == 2u);
    BOOST_TEST(answers[0].scalar<std::string>() == "a");
    BOOST_TEST(answers[1].scalar<std::string>() == "b");
    BOOST_TEST(commit([&](db::batch& work) { work.in_workspace(workspace); }).size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(no_state_is_left_on_the_connection, two_workspaces)
{
    boost::asio::io_context io{1};
    db::pipeline connection(io, db::test::core::pipeline_settings(data));
    auto ask = [&](db::batch work) {
        return support::run(io, [&] { return connection.run(std::move(work)); });
    };
    auto plain = db::batch().add(current_role);

    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");
    auto inside = db::batch().in_workspace(workspace).add(current_role);
    BOOST_TEST(ask(inside)[0].scalar<std::string>().starts_with("latchkey_workspace "));
    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");

    auto failing = db::batch().in_workspace(workspace).add(divide, 0).add(current_role);
    BOOST_CHECK_EXCEPTION(ask(failing), failure,
                          [](const failure& why) { return why.sqlstate() == "22012"; });
    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");
}

BOOST_FIXTURE_TEST_CASE(batches_of_two_workspaces_do_not_mix_on_one_connection, two_workspaces)
{
    boost::asio::io_context io{1};
    db::pipeline connection(io, db::test::core::pipeline_settings(data));
    int right = 0, failed = 0, left = 300;
    for (int number = 0; number < 300; ++number) {
        db::batch work;
        std::string expected = "Engines, Leaks";
        if (number % 3 == 1)
            work.in_workspace(workspace), expected = "Engines";
        if (number % 3 == 2)
            work.in_workspace(other), expected = "Leaks";
        work.add(names);
        bool fails = number % 7 == 0;
        if (fails)
            work.add(divide, 0);
        boost::asio::co_spawn(io, connection.run(std::move(work)),
                              [&, expected](std::exception_ptr error, const db::results& answers) {
                                  failed += error != nullptr;
                                  right += !error && answers[0].scalar<std::string>() == expected;
                                  --left;
                              });
    }
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (left > 0 && io.run_one_until(until) > 0) {
    }
    BOOST_TEST(failed == 43);
    BOOST_TEST(right == 257);
}

BOOST_FIXTURE_TEST_CASE(row_security_works_without_prepared_statements, two_workspaces)
{
    boost::asio::io_context io{1};
    auto settings = db::test::core::pipeline_settings(data);
    settings.prepare = false;
    db::pipeline connection(io, settings);
    auto ask = [&](db::batch work) {
        return support::run(io, [&] { return connection.run(std::move(work)); });
    };
    auto answers = ask(db::batch().in_workspace(workspace).add(echo, "a").add(names));
    BOOST_TEST(answers.size() == 2u);
    BOOST_TEST(answers[1].scalar<std::string>() == "Engines");
    BOOST_TEST(ask(db::batch().add(names))[0].scalar<std::string>() == "Engines, Leaks");
}

BOOST_FIXTURE_TEST_CASE(a_workspace_statement_without_in_workspace_is_refused, two_workspaces)
{
    auto refused = [](const failure& why) {
        return why.kind() == db::failure_kind::misuse && !why.unavailable() &&
               std::string_view(why.what()).find("test_rls_marked") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(outside(marked), failure, refused);
    BOOST_CHECK_EXCEPTION(commit([](db::batch& work) { work.add(echo, "a").add(marked).add(echo, "b"); }),
                          failure, refused);
    BOOST_TEST(in_workspace(workspace, marked).scalar<std::int64_t>() == 1);
}

BOOST_AUTO_TEST_CASE(a_batch_is_in_one_workspace)
{
    db::batch work;
    auto here = db::test::new_id();
    work.in_workspace(here).in_workspace(here);
    BOOST_CHECK_EXCEPTION(work.in_workspace(db::test::new_id()), failure,
                          [](const failure& why) { return why.kind() == db::failure_kind::misuse; });
    BOOST_TEST((work.workspace() == here));
}

// Enabling row-level security with different privileges; each case on a fresh database of an ordinary role.

namespace {

struct cluster_fixture {
    support::postgres_cluster cluster;

    /// Create a database owned by a new role with these privileges. @return its URL as that role
    std::string create_tenant(const std::string& name, const std::string& rights)
    {
        support::sql(cluster.conninfo(), "CREATE ROLE " + name + " LOGIN " + rights);
        support::sql(cluster.conninfo(), "CREATE DATABASE " + name + " OWNER " + name);
        return as(name, name);
    }

    std::string as(const std::string& role, const std::string& database) const
    {
        auto url = cluster.conninfo(database);
        return url.replace(url.find("user=latchkey"), std::string::npos, "user=" + role);
    }

    void grant_role_manually(const std::string& role) const
    {
        support::sql(cluster.conninfo(),
                     "CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO " + role);
    }

    /// Whether a connection has row-level security, and the rows visible outside and in
    /// one of two workspaces.
    static std::string view(const std::string& conninfo, const db::uuid& workspace)
    {
        boost::asio::io_context io{1};
        db::pipeline::config settings;
        settings.conninfo = conninfo;
        db::pool pool(io, settings, 1);
        bool enabled = support::run(io, [&] { return db::row_security_enabled(pool); });
        auto all = support::run(io, [&] { return pool.run(names); }).scalar<std::string>();
        auto own =
            support::run(io, [&] { return pool.run_in_workspace(workspace, names); }).scalar<std::string>();
        return (enabled ? "on: " : "off: ") + all + " / " + own;
    }

    static db::uuid add_workspaces(const std::string& conninfo)
    {
        auto user = to_string(db::test::new_id());
        auto one = db::test::new_id(), two = db::test::new_id();
        support::sql(conninfo, "INSERT INTO users (id, email, email_normalized) VALUES ('" + user +
                                   "', 'a', 'a');"
                                   "INSERT INTO workspaces (id, name, owner_id) VALUES"
                                   " ('" +
                                   to_string(one) + "', 'one', '" + user +
                                   "'),"
                                   " ('" +
                                   to_string(two) + "', 'two', '" + user + "')");
        return one;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(without_createrole_it_is_off_until_the_role_is_granted, cluster_fixture)
{
    auto home = create_tenant("tenant", "");
    BOOST_TEST(!db::migrate(home).row_security);
    auto one = add_workspaces(home);
    BOOST_TEST(view(home, one) == "off: one, two / one, two");
    BOOST_TEST(!db::migrate(home).row_security);

    grant_role_manually("tenant");
    BOOST_TEST(view(home, one) == "off: one, two / one, two"); // privileges on the tables are still missing
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(view(home, one) == "on: one, two / one");

    // A table added later, and one with a revoked privilege.
    support::sql(home, "CREATE TABLE later (a int)");
    support::sql(home, "REVOKE UPDATE ON api_keys FROM latchkey_workspace");
    BOOST_TEST(view(home, one) == "off: one, two / one, two");
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(support::sql(home, "SELECT has_table_privilege('latchkey_workspace', 'later', 'INSERT')") ==
               "t");
}

BOOST_FIXTURE_TEST_CASE(a_role_granted_in_advance_suffices, cluster_fixture)
{
    auto home = create_tenant("tenant", "");
    grant_role_manually("tenant");
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(view(home, add_workspaces(home)) == "on: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(with_createrole_it_is_enabled_automatically, cluster_fixture)
{
    auto home = create_tenant("tenant", "CREATEROLE");
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(view(home, add_workspaces(home)) == "on: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(several_databases_of_a_cluster_may_enable_it_concurrently, cluster_fixture)
{
    constexpr int count = 6;
    support::sql(cluster.conninfo(), "CREATE ROLE tenant LOGIN CREATEROLE");
    std::vector<std::string> homes;
    for (int each = 0; each < count; ++each) {
        auto name = "home_" + std::to_string(each);
        support::sql(cluster.conninfo(), "CREATE DATABASE " + name + " OWNER tenant");
        homes.push_back(as("tenant", name));
        db::migrate(homes.back());
    }
    for (int round = 0; round < 5; ++round) {
        for (const auto& home : homes)
            support::sql(home, "DROP OWNED BY latchkey_workspace");
        support::sql(cluster.conninfo(), "DROP ROLE latchkey_workspace");
        std::atomic<int> enabled = 0;
        std::vector<std::thread> threads;
        for (const auto& home : homes)
            threads.emplace_back([&enabled, &home] {
                try {
                    enabled += db::migrate(home).row_security;
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "%s\n", error.what());
                }
            });
        for (auto& each : threads)
            each.join();
        BOOST_TEST(enabled == count);
    }
}

BOOST_FIXTURE_TEST_CASE(the_server_role_need_not_own_the_tables, cluster_fixture)
{
    auto home = create_tenant("tenant", "CREATEROLE");
    BOOST_TEST(db::migrate(home).row_security);
    auto one = add_workspaces(home);
    support::sql(cluster.conninfo(), "CREATE ROLE server LOGIN");
    support::sql(home, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server");
    auto served = as("server", "tenant");
    BOOST_TEST(view(served, one) == "off: one, two / one, two");
    support::sql(cluster.conninfo(), "GRANT latchkey_workspace TO server");
    BOOST_TEST(view(served, one) == "on: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(tables_outside_the_search_path_disable_it, cluster_fixture)
{
    auto home = create_tenant("tenant", "CREATEROLE");
    support::sql(home, "CREATE SCHEMA tenant"); // resolved as "$user", by this user only
    BOOST_TEST(!db::migrate(home).row_security);
    auto one = add_workspaces(home);
    BOOST_TEST(view(home, one) == "off: one, two / one, two");
    support::sql(home, "ALTER ROLE tenant SET search_path = tenant");
    BOOST_TEST(db::migrate(home).row_security);
    BOOST_TEST(view(home, one) == "on: one, two / one");
}

BOOST_AUTO_TEST_SUITE_END()
