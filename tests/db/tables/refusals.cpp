// Refusals: aggregation, bounds, the workspace of an account, and deleted users.
#include "db/tables/refusals.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(refusals)

namespace {

using db::audit::refusal;

struct refusal_fixture : db::test::database_fixture {
    static db::audit::refusal_writer::config without_timer()
    {
        db::audit::refusal_writer::config out;
        out.write_interval = std::chrono::hours(1);
        return out;
    }

    static db::timestamp at(int minute) { return db::timestamp(std::chrono::minutes(30'000'000 + minute)); }

    void fail(db::audit::refusal_writer& to, const db::uuid& account, db::timestamp when = at(0),
              const std::string& ip = "203.0.113.1")
    {
        to.record(refusal::failed_login, account, when, [&] {
            db::audit::entry out;
            out.id = db::test::new_id();
            out.action = "login.failed";
            out.target = to_string(account);
            out.ip = ip;
            return out;
        });
    }

    void deny(db::audit::refusal_writer& to, const db::uuid& user, const db::uuid& credential)
    {
        to.record(refusal::denied_access, credential, at(0), [&] {
            db::audit::entry out;
            out.id = db::test::new_id();
            out.action = "access.denied";
            out.workspace_id = workspace;
            out.actor_id = user;
            out.credential_id = credential;
            out.details = R"({"required":"team:write"})";
            return out;
        });
    }

    std::string events() const
    {
        return data.sql("SELECT coalesce(string_agg(concat_ws(' ', action, ip, details ->> 'count'), ', ' "
                        "ORDER BY action, ip, details ->> 'count'), '') FROM audit");
    }

    db::audit::refusal_writer writer{one.io, one.db, without_timer()};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(refusals_of_a_subject_are_one_event_with_their_number, refusal_fixture)
{
    db::audit::refusal_writer other(one.io, one.db, without_timer()); // another core
    for (int i = 0; i < 5; ++i)
        fail(writer, ada, at(i), "203.0.113." + std::to_string(i));
    BOOST_TEST(events() == "");
    run([&] { return writer.flush(); });
    BOOST_TEST(events() == "login.failed 203.0.113.0 5");
    run([&] { return writer.flush(); });
    fail(writer, ada, at(9));
    fail(other, ada, at(9), "198.51.100.1");
    run([&] { return writer.flush(); });
    run([&] { return other.close(); });
    BOOST_TEST(events() == "login.failed 203.0.113.0 7");
    for (int minute = 0; minute < 60; ++minute)
        fail(writer, ada, at(minute));
    run([&] { return writer.flush(); });
    BOOST_TEST(data.sql("SELECT count(*) FROM audit") == "6");
    BOOST_TEST(data.sql("SELECT sum((details ->> 'count')::int) FROM audit") == "67");
}

BOOST_FIXTURE_TEST_CASE(subjects_and_kinds_are_counted_apart, refusal_fixture)
{
    fail(writer, ada);
    fail(writer, bob);
    deny(writer, bob, db::test::new_id());
    deny(writer, bob, bob); // the same id as a failed login's subject
    run([&] { return writer.flush(); });
    BOOST_TEST(data.sql("SELECT string_agg(action, ' ' ORDER BY action) FROM audit") ==
               "access.denied access.denied login.failed login.failed");
    BOOST_TEST(data.sql("SELECT DISTINCT details::text FROM audit WHERE action = 'access.denied'") ==
               R"({"count": 1, "required": "team:write"})");
}

BOOST_FIXTURE_TEST_CASE(memory_is_bounded, refusal_fixture)
{
    auto small = without_timer();
    small.max_pending = 2;
    db::audit::refusal_writer bounded(one.io, one.db, small);
    fail(bounded, ada);
    fail(bounded, bob);
    for (int i = 0; i < 10; ++i)
        deny(bounded, bob, db::test::new_id());
    fail(bounded, bob);
    run([&] { return bounded.flush(); });
    BOOST_TEST(events() == "login.failed 203.0.113.1 1, login.failed 203.0.113.1 2");
}

BOOST_FIXTURE_TEST_CASE(a_failed_login_belongs_to_the_workspace_to_sign_in_to, refusal_fixture)
{
    auto eve = add_user("eve@example.org");
    fail(writer, eve, at(0)); // no workspace yet
    run([&] { return writer.flush(); });
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE workspace_id IS NULL") == "1");
    auto own = add_workspace("Lovelace", eve);
    fail(writer, eve, at(10));
    run([&] { return writer.flush(); });
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE workspace_id = '" + to_string(own) + "'") == "1");
    add_member(workspace, eve, "member");
    data.sql("UPDATE users SET last_workspace_id = '" + to_string(workspace) + "' WHERE id = '" +
             to_string(eve) + "'");
    fail(writer, eve, at(20));
    run([&] { return writer.flush(); });
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE workspace_id = '" + to_string(workspace) + "'") ==
               "1");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_written_about_deleted_users_and_workspaces, refusal_fixture)
{
    auto eve = add_user("eve@example.org");
    auto own = add_workspace("Lovelace", eve);
    fail(writer, eve);
    deny(writer, eve, db::test::new_id());
    fail(writer, ada);
    writer.record(refusal::denied_access, db::test::new_id(), at(0), [&] {
        db::audit::entry out;
        out.id = db::test::new_id();
        out.action = "access.denied";
        out.workspace_id = own;
        return out;
    });
    data.sql("DELETE FROM workspaces WHERE id = '" + to_string(own) + "'; DELETE FROM users WHERE id = '" +
             to_string(eve) + "'");
    run([&] { return writer.flush(); });
    BOOST_TEST(events() == "login.failed 203.0.113.1 1");
}

BOOST_FIXTURE_TEST_CASE(the_timer_writes_by_itself, refusal_fixture)
{
    auto quick = without_timer();
    quick.write_interval = std::chrono::milliseconds(10);
    db::audit::refusal_writer timed(one.io, one.db, quick);
    fail(timed, ada);
    one.io.restart();
    for (int i = 0; i < 300 && events().empty(); ++i)
        one.io.run_for(std::chrono::milliseconds(10));
    BOOST_TEST(events() == "login.failed 203.0.113.1 1");
}

BOOST_AUTO_TEST_SUITE_END()
