// Who signs up to which workspace, and what becomes of them once their address is proved.
#include "db/tables/join_requests.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(join_requests)

namespace {

/// Ada's workspace is open to the domain of her address, which she has proved; Zoe has one there too, and
/// asks.
struct asking : house::fixture {
    asking()
    {
        set_up(workspace, "open", "example.org");
        prove(ada);
        commit([&](db::batch& work) { db::join_requests::add_insert(work, zoe, workspace); });
    }

    void set_up(const db::uuid& where, const std::string& policy, const std::string& domain)
    {
        data.sql("UPDATE workspaces SET join_policy = '" + policy + "', join_domain = '" + domain +
                 "' WHERE id = '" + to_string(where) + "'");
    }

    void prove(const db::uuid& who)
    {
        data.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(who) + "'");
    }

    void settle(const db::uuid& who)
    {
        commit([&](db::batch& work) { db::join_requests::add_settle(work, who, house::event("team.join")); });
    }

    std::optional<db::uuid> workspace_of(const std::string& domain)
    {
        return run([&] { return db::join_requests::find_workspace(one.db, domain); });
    }

    /// "member", "waiting", both, or nothing.
    std::string state_of(const db::uuid& who)
    {
        auto id = "'" + to_string(who) + "'";
        return data.sql("SELECT concat_ws(' ', (SELECT 'member' FROM memberships WHERE user_id = " + id +
                        " AND workspace_id = '" + to_string(workspace) +
                        "'), (SELECT 'waiting' FROM join_requests WHERE user_id = " + id + "))");
    }

    std::string recipients()
    {
        return data.sql(
            "SELECT coalesce(string_agg(recipient, ' ' ORDER BY recipient), '') FROM outbox WHERE kind = "
            "'approval_asked'");
    }

    db::uuid zoe = add_user("zoe@example.org");
};

} // namespace

BOOST_FIXTURE_TEST_CASE(an_open_workspace_takes_in_who_has_proved_the_address_once, asking)
{
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "waiting"); // nothing is proved yet
    prove(zoe);
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "member");
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "team.join");
    BOOST_TEST((events[0].actor_id == zoe));
    BOOST_TEST(events[0].target.value() == to_string(zoe));
    settle(zoe);
    BOOST_TEST(events_of(workspace).size() == 1u);
    BOOST_TEST(recipients() == "");
}

BOOST_FIXTURE_TEST_CASE(who_has_not_asked_is_not_taken_in, asking)
{
    auto una = add_user("una@example.org");
    prove(una);
    settle(una);
    BOOST_TEST(state_of(una) == "");
    BOOST_TEST(events_of(workspace).empty());
}

BOOST_FIXTURE_TEST_CASE(they_wait_where_the_domain_is_not_theirs_or_not_proved_or_the_workspace_not_open,
                        asking)
{
    prove(zoe);
    set_up(workspace, "open", "example.net"); // another by now
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "waiting");
    BOOST_TEST(recipients() == "");
    set_up(workspace, "closed", "example.org");
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "waiting");
    set_up(workspace, "open", "example.org");
    data.sql("UPDATE users SET email_verified_at = NULL WHERE id = '" + to_string(ada) + "'");
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "waiting");
    BOOST_TEST(events_of(workspace).empty());
    prove(ada);
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "member");
}

BOOST_FIXTURE_TEST_CASE(the_admins_who_can_act_and_want_to_know_are_asked, asking)
{
    set_up(workspace, "approval", "example.org");
    prove(zoe);
    auto add = [&](const std::string& name, const std::string& role, const std::string& but = "") {
        auto who = add_user(name + "@example.org");
        prove(who);
        add_member(workspace, who, role);
        if (!but.empty())
            data.sql("UPDATE users SET " + but + " WHERE id = '" + to_string(who) + "'");
    };
    add("mel", "admin");
    add("manager", "manager");
    add("disabled", "admin", "disabled_at = now()");
    add("unverified", "admin", "email_verified_at = NULL");
    add("unwilling", "admin", R"(notifications = '{"approval_asked": {"email": false}}')");
    settle(zoe);
    BOOST_TEST(recipients() == "ada@example.org mel@example.org");
    BOOST_TEST(state_of(zoe) == "waiting");
    BOOST_TEST(data.sql("SELECT facts ->> 'person_email' FROM outbox LIMIT 1") == "zoe@example.org");
    BOOST_TEST(data.sql("SELECT facts ->> 'workspace' FROM outbox LIMIT 1") == "Engines");
}

BOOST_FIXTURE_TEST_CASE(a_crowd_of_admins_is_not_asked_all_at_once, asking)
{
    set_up(workspace, "approval", "example.org");
    prove(zoe);
    data.sql("INSERT INTO users (id, email, email_normalized, email_verified_at) SELECT gen_random_uuid(), "
             "'a' || i, 'a' "
             "|| i, now() FROM generate_series(1, 30) AS i; INSERT INTO memberships (workspace_id, user_id, "
             "role) SELECT '" +
             to_string(workspace) + "', id, 'admin' FROM users WHERE email NOT LIKE '%@%'");
    settle(zoe);
    BOOST_TEST(data.sql("SELECT count(*) FROM outbox") == "20");
}

BOOST_FIXTURE_TEST_CASE(the_oldest_of_several_workspaces_that_counts_is_the_one, asking)
{
    BOOST_TEST((workspace_of("example.org") == workspace));
    BOOST_TEST(!workspace_of("example.net"));
    BOOST_TEST(!workspace_of("sub.example.org"));
    BOOST_TEST(!workspace_of("EXAMPLE.org")); // it is compared as stored
    auto second = add_workspace("Second", bob), third = add_workspace("Third", ada);
    set_up(second, "approval", "example.org");
    set_up(third, "open", "example.org");
    BOOST_TEST((workspace_of("example.org") == workspace));
    set_up(workspace, "closed", "example.org");
    BOOST_TEST((workspace_of("example.org") == third)); // Bob has proved nothing
    prove(bob);
    BOOST_TEST((workspace_of("example.org") == second));
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST((workspace_of("example.org") == third));
    set_up(third, "open", "example.net");
    BOOST_TEST(!workspace_of("example.org"));
    BOOST_TEST(!workspace_of("example.net"));
}

BOOST_FIXTURE_TEST_CASE(another_address_of_the_person_ends_the_request, asking)
{
    commit([&](db::batch& work) {
        db::users::add_change_email(work, zoe, "zoe@example.net", "zoe@example.net");
    });
    BOOST_TEST(state_of(zoe) == "");
    settle(zoe);
    BOOST_TEST(state_of(zoe) == "");
}

BOOST_FIXTURE_TEST_CASE(with_the_person_or_the_workspace_the_request_goes, asking)
{
    data.sql("DELETE FROM users WHERE id = '" + to_string(zoe) + "'");
    BOOST_TEST(data.sql("SELECT count(*) FROM join_requests") == "0");
    auto una = add_user("una@example.net");
    auto second = add_workspace("Second", bob);
    commit([&](db::batch& work) { db::join_requests::add_insert(work, una, second); });
    data.sql("DELETE FROM workspaces WHERE id = '" + to_string(second) + "'");
    BOOST_TEST(data.sql("SELECT count(*) FROM join_requests") == "0");
    BOOST_TEST(run([&] { return db::users::find(one.db, una); }).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
