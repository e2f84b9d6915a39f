// What a statement forgets to say about its workspace, PostgreSQL adds.
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

const std::string walled[] = {"workspaces", "memberships",   "api_keys", "invites", "replaced_invite_tokens",
                              "users",      "join_requests", "audit"};

std::string count_all()
{
    std::string sql;
    for (const auto& table : walled)
        sql += (sql.empty() ? "SELECT '" : " UNION ALL SELECT '") + table + "', count(*) FROM " + table;
    return "SELECT string_agg(t || ' ' || n, ', ' ORDER BY t) FROM (" + sql + ") AS counted (t, n)";
}

const db::statement count_rows{"test_wall_count", count_all()};
const db::statement names{"test_wall_names", "SELECT string_agg(name, ', ' ORDER BY name) FROM workspaces"};
const db::statement where_am_i{
    "test_wall_where",
    "SELECT current_user || ' ' || coalesce(current_setting('latchkey.workspace', true), '')"};
const db::statement echo{"test_wall_echo", "SELECT $1::text"};
const db::statement divide{"test_wall_divide", "SELECT 1 / $1::int4"};
const db::statement rename_all{"test_wall_rename", "UPDATE api_keys SET name = $1"};
const db::statement delete_all{"test_wall_delete", "DELETE FROM api_keys"};
const db::statement move_keys{"test_wall_move", "UPDATE api_keys SET workspace_id = $1"};
const db::statement join{"test_wall_join",
                         "INSERT INTO memberships (workspace_id, user_id, role) VALUES ($1, $2, 'member')"};
const db::statement lock_all{"test_wall_lock", "SELECT id FROM users FOR SHARE"};
const db::statement secrets{"test_wall_secrets", "SELECT count(*) FROM signing_keys"};
const db::statement marked{"test_wall_marked", db::rows::of_one_workspace, "SELECT count(*) FROM workspaces"};

/// Beside Ada's workspace there is Eve's, with a row more of everything.
struct two_workspaces : house::fixture {
    two_workspaces()
    {
        eve = add_user("eve@example.org");
        fay = add_user("fay@example.org");
        gus = add_user("gus@example.org");
        hal = add_user("hal@example.org");
        other = add_workspace("Leaks", eve);
        add_member(other, fay, "member");
        add_member(other, gus, "member");
        furnish(workspace, ada, 1);
        furnish(other, eve, 2);
        data.sql("INSERT INTO join_requests (user_id, workspace_id) VALUES ('" + to_string(hal) + "', '" +
                 to_string(other) + "')");
    }

    void furnish(const db::uuid& where, const db::uuid& who, int times)
    {
        auto space = "'" + to_string(where) + "'", person = "'" + to_string(who) + "'";
        for (int each = 0; each < times; ++each) {
            auto id = "'" + to_string(house::new_id()) + "'";
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
    db::result within(const db::uuid& where, const db::statement& what, const Values&... values)
    {
        return run([&] { return one.db.run_within(where, what, values...); });
    }

    template <class... Values>
    db::result outside(const db::statement& what, const Values&... values)
    {
        return run([&] { return one.db.run(what, values...); });
    }

    template <class... Values>
    std::string refusal(const db::uuid& where, const db::statement& what, const Values&... values)
    {
        try {
            within(where, what, values...);
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

BOOST_FIXTURE_TEST_CASE(a_statement_without_a_condition_sees_its_workspace_alone, two_workspaces)
{
    BOOST_TEST(within(workspace, count_rows).scalar<std::string>() == of_adas);
    BOOST_TEST(within(other, count_rows).scalar<std::string>() == of_eves);
    BOOST_TEST(within(house::new_id(), count_rows).scalar<std::string>() == of_none);
    BOOST_TEST(outside(count_rows).scalar<std::string>() == of_all);
}

BOOST_FIXTURE_TEST_CASE(nor_does_it_change_or_lock_anything_of_another, two_workspaces)
{
    BOOST_TEST(within(workspace, rename_all, "mine").affected() == 1u);
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE name = 'mine'") == "1");
    BOOST_TEST(within(workspace, lock_all).size() == 2u);
    BOOST_TEST(within(other, delete_all).affected() == 2u);
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE name = 'mine'") == "1");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_put_into_another_workspace, two_workspaces)
{
    BOOST_TEST(refusal(workspace, join, other, bob) == "42501");
    BOOST_TEST(refusal(workspace, move_keys, other) == "42501");
    auto foreign = house::event("test");
    for (auto where : {std::optional(other), std::optional<db::uuid>()}) { // nobody's is another's too
        foreign.workspace_id = where;
        BOOST_CHECK_EXCEPTION(
            commit([&](db::batch& work) { db::audit::add(work.within(workspace), foreign); }), failure,
            [](const failure& why) { return why.sqlstate() == "42501"; });
    }
    BOOST_TEST(outside(count_rows).scalar<std::string>() == of_all);
}

BOOST_FIXTURE_TEST_CASE(secrets_of_no_workspace_are_out_of_reach, two_workspaces)
{
    BOOST_TEST(refusal(workspace, secrets) == "42501");
}

BOOST_FIXTURE_TEST_CASE(answers_stand_where_they_would_without_the_wall, two_workspaces)
{
    auto answers = commit([&](db::batch& work) { work.within(workspace).add(echo, "a").add(echo, "b"); });
    BOOST_TEST(answers.size() == 2u);
    BOOST_TEST(answers[0].scalar<std::string>() == "a");
    BOOST_TEST(answers[1].scalar<std::string>() == "b");
    BOOST_TEST(commit([&](db::batch& work) { work.within(workspace); }).size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(nothing_of_it_is_left_on_the_connection, two_workspaces)
{
    boost::asio::io_context io{1};
    db::pipeline line(io, house::core::reach(data));
    auto ask = [&](db::batch work) { return support::run(io, [&] { return line.run(std::move(work)); }); };
    auto plain = db::batch().add(where_am_i);

    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");
    auto inside = db::batch().within(workspace).add(where_am_i);
    BOOST_TEST(ask(inside)[0].scalar<std::string>().starts_with("latchkey_workspace "));
    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");

    auto failing = db::batch().within(workspace).add(divide, 0).add(where_am_i);
    BOOST_CHECK_EXCEPTION(ask(failing), failure,
                          [](const failure& why) { return why.sqlstate() == "22012"; });
    BOOST_TEST(ask(plain)[0].scalar<std::string>() == "latchkey ");
}

BOOST_FIXTURE_TEST_CASE(batches_of_two_workspaces_do_not_mix_on_one_connection, two_workspaces)
{
    boost::asio::io_context io{1};
    db::pipeline line(io, house::core::reach(data));
    int right = 0, failed = 0, left = 300;
    for (int number = 0; number < 300; ++number) {
        db::batch work;
        std::string expected = "Engines, Leaks";
        if (number % 3 == 1)
            work.within(workspace), expected = "Engines";
        if (number % 3 == 2)
            work.within(other), expected = "Leaks";
        work.add(names);
        bool fails = number % 7 == 0;
        if (fails)
            work.add(divide, 0);
        boost::asio::co_spawn(io, line.run(std::move(work)),
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

BOOST_FIXTURE_TEST_CASE(it_stands_where_nothing_is_prepared, two_workspaces)
{
    boost::asio::io_context io{1};
    auto settings = house::core::reach(data);
    settings.prepare = false;
    db::pipeline line(io, settings);
    auto ask = [&](db::batch work) { return support::run(io, [&] { return line.run(std::move(work)); }); };
    auto answers = ask(db::batch().within(workspace).add(echo, "a").add(names));
    BOOST_TEST(answers.size() == 2u);
    BOOST_TEST(answers[1].scalar<std::string>() == "Engines");
    BOOST_TEST(ask(db::batch().add(names))[0].scalar<std::string>() == "Engines, Leaks");
}

BOOST_FIXTURE_TEST_CASE(a_batch_that_does_not_say_its_workspace_is_refused, two_workspaces)
{
    auto refused = [](const failure& why) {
        return why.kind() == db::failure_kind::misuse && !why.unavailable() &&
               std::string_view(why.what()).find("test_wall_marked") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(outside(marked), failure, refused);
    BOOST_CHECK_EXCEPTION(commit([](db::batch& work) { work.add(echo, "a").add(marked).add(echo, "b"); }),
                          failure, refused);
    BOOST_TEST(within(workspace, marked).scalar<std::int64_t>() == 1);
}

BOOST_AUTO_TEST_CASE(a_batch_is_within_one_workspace)
{
    db::batch work;
    auto here = house::new_id();
    work.within(here).within(here);
    BOOST_CHECK_EXCEPTION(work.within(house::new_id()), failure,
                          [](const failure& why) { return why.kind() == db::failure_kind::misuse; });
    BOOST_TEST((work.workspace() == here));
}

/* Who may raise the wall. Each on a cluster's fresh database of an ordinary role. */

namespace {

struct landlord {
    support::postgres_cluster cluster;

    /// A database that belongs to a new role with these rights. @return how to reach it as that role
    std::string let(const std::string& name, const std::string& rights)
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

    void raise_by_hand(const std::string& role) const
    {
        support::sql(cluster.conninfo(),
                     "CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO " + role);
    }

    /// What one connection says of itself and sees, outside and within a workspace of two.
    static std::string view(const std::string& conninfo, const db::uuid& within)
    {
        boost::asio::io_context io{1};
        db::pipeline::config settings;
        settings.conninfo = conninfo;
        db::pool pool(io, settings, 1);
        bool stands = support::run(io, [&] { return db::wall_stands(pool); });
        auto all = support::run(io, [&] { return pool.run(names); }).scalar<std::string>();
        auto own = support::run(io, [&] { return pool.run_within(within, names); }).scalar<std::string>();
        return (stands ? "walled: " : "open: ") + all + " / " + own;
    }

    static db::uuid furnish(const std::string& conninfo)
    {
        auto user = to_string(house::new_id());
        auto one = house::new_id(), two = house::new_id();
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

BOOST_FIXTURE_TEST_CASE(without_the_right_to_make_roles_there_is_none_until_it_is_given, landlord)
{
    auto home = let("tenant", "");
    BOOST_TEST(!db::migrate(home).walled);
    auto one = furnish(home);
    BOOST_TEST(view(home, one) == "open: one, two / one, two");
    BOOST_TEST(!db::migrate(home).walled);

    raise_by_hand("tenant");
    BOOST_TEST(view(home, one) == "open: one, two / one, two"); // the tables are still to be granted
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(view(home, one) == "walled: one, two / one");

    // A table that came later, and one whose grant was lost.
    support::sql(home, "CREATE TABLE later (a int)");
    support::sql(home, "REVOKE UPDATE ON api_keys FROM latchkey_workspace");
    BOOST_TEST(view(home, one) == "open: one, two / one, two");
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(support::sql(home, "SELECT has_table_privilege('latchkey_workspace', 'later', 'INSERT')") ==
               "t");
}

BOOST_FIXTURE_TEST_CASE(a_role_given_in_advance_is_enough, landlord)
{
    auto home = let("tenant", "");
    raise_by_hand("tenant");
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(view(home, furnish(home)) == "walled: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(who_may_make_roles_needs_nobody, landlord)
{
    auto home = let("tenant", "CREATEROLE");
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(view(home, furnish(home)) == "walled: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(many_databases_of_a_cluster_may_raise_it_at_once, landlord)
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
        std::atomic<int> standing = 0;
        std::vector<std::thread> threads;
        for (const auto& home : homes)
            threads.emplace_back([&standing, &home] {
                try {
                    standing += db::migrate(home).walled;
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "%s\n", error.what());
                }
            });
        for (auto& each : threads)
            each.join();
        BOOST_TEST(standing == count);
    }
}

BOOST_FIXTURE_TEST_CASE(who_serves_need_not_own_the_tables, landlord)
{
    auto home = let("tenant", "CREATEROLE");
    BOOST_TEST(db::migrate(home).walled);
    auto one = furnish(home);
    support::sql(cluster.conninfo(), "CREATE ROLE server LOGIN");
    support::sql(home, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server");
    auto served = as("server", "tenant");
    BOOST_TEST(view(served, one) == "open: one, two / one, two");
    support::sql(cluster.conninfo(), "GRANT latchkey_workspace TO server");
    BOOST_TEST(view(served, one) == "walled: one, two / one");
}

BOOST_FIXTURE_TEST_CASE(tables_that_the_role_would_not_find_are_as_good_as_no_wall, landlord)
{
    auto home = let("tenant", "CREATEROLE");
    support::sql(home, "CREATE SCHEMA tenant"); // found as "$user", by this user alone
    BOOST_TEST(!db::migrate(home).walled);
    auto one = furnish(home);
    BOOST_TEST(view(home, one) == "open: one, two / one, two");
    support::sql(home, "ALTER ROLE tenant SET search_path = tenant");
    BOOST_TEST(db::migrate(home).walled);
    BOOST_TEST(view(home, one) == "walled: one, two / one");
}

BOOST_AUTO_TEST_SUITE_END()
