// Join requests: created at sign-up, resolved when the address is verified.
#include "db/tables/join_requests.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(join_requests)

namespace {

/// Ada's workspace is open to the domain of her verified address; Zoe has an address there and a join
/// request.
struct join_request_fixture : db::test::database_fixture {
    join_request_fixture()
    {
        set_up(workspace, "open", "example.org");
        verify_email(ada);
        commit([&](db::batch& work) { db::join_requests::add_insert(work, zoe, workspace); });
    }

    void set_up(const db::uuid& in_workspace, const std::string& policy, const std::string& domain)
    {
        data.sql("UPDATE workspaces SET join_policy = '" + policy + "', join_domain = '" + domain +
                 "' WHERE id = '" + to_string(in_workspace) + "'");
    }

    void verify_email(const db::uuid& user)
    {
        data.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(user) + "'");
    }

    void resolve(const db::uuid& user)
    {
        commit([&](db::batch& work) {
            db::join_requests::add_resolve(work, user, db::test::event("team.join"));
        });
    }

    std::optional<db::uuid> workspace_of(const std::string& domain)
    {
        return run([&] { return db::join_requests::find_workspace(one.db, domain); });
    }

    /// "member", "pending", both, or nothing.
    std::string state_of(const db::uuid& user)
    {
        auto id = "'" + to_string(user) + "'";
        return data.sql("SELECT concat_ws(' ', (SELECT 'member' FROM memberships WHERE user_id = " + id +
                        " AND workspace_id = '" + to_string(workspace) +
                        "'), (SELECT 'pending' FROM join_requests WHERE user_id = " + id + "))");
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

BOOST_FIXTURE_TEST_CASE(an_open_workspace_adds_a_verified_user_once, join_request_fixture)
{
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "pending"); // not verified yet
    verify_email(zoe);
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "member");
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "team.join");
    BOOST_TEST((events[0].actor_id == zoe));
    BOOST_TEST(events[0].target.value() == to_string(zoe));
    resolve(zoe);
    BOOST_TEST(events_of(workspace).size() == 1u);
    BOOST_TEST(recipients() == "");
}

BOOST_FIXTURE_TEST_CASE(a_user_without_a_request_is_not_added, join_request_fixture)
{
    auto una = add_user("una@example.org");
    verify_email(una);
    resolve(una);
    BOOST_TEST(state_of(una) == "");
    BOOST_TEST(events_of(workspace).empty());
}

BOOST_FIXTURE_TEST_CASE(a_request_waits_unless_the_domain_matches_and_is_verified_and_the_workspace_is_open,
                        join_request_fixture)
{
    verify_email(zoe);
    set_up(workspace, "open", "example.net"); // changed since the request
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "pending");
    BOOST_TEST(recipients() == "");
    set_up(workspace, "closed", "example.org");
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "pending");
    set_up(workspace, "open", "example.org");
    data.sql("UPDATE users SET email_verified_at = NULL WHERE id = '" + to_string(ada) + "'");
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "pending");
    BOOST_TEST(events_of(workspace).empty());
    verify_email(ada);
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "member");
}

BOOST_FIXTURE_TEST_CASE(enabled_admins_who_accept_the_notification_are_notified, join_request_fixture)
{
    set_up(workspace, "approval", "example.org");
    verify_email(zoe);
    auto add = [&](const std::string& name, const std::string& role, const std::string& change = "") {
        auto user = add_user(name + "@example.org");
        verify_email(user);
        add_member(workspace, user, role);
        if (!change.empty())
            data.sql("UPDATE users SET " + change + " WHERE id = '" + to_string(user) + "'");
    };
    add("mel", "admin");
    add("manager", "manager");
    add("disabled", "admin", "disabled_at = now()");
    add("unverified", "admin", "email_verified_at = NULL");
    add("opted_out", "admin", R"(notifications = '{"approval_asked": {"email": false}}')");
    resolve(zoe);
    BOOST_TEST(recipients() == "ada@example.org mel@example.org");
    BOOST_TEST(state_of(zoe) == "pending");
    BOOST_TEST(data.sql("SELECT variables ->> 'person_email' FROM outbox LIMIT 1") == "zoe@example.org");
    BOOST_TEST(data.sql("SELECT variables ->> 'workspace' FROM outbox LIMIT 1") == "Engines");
}

BOOST_FIXTURE_TEST_CASE(at_most_twenty_admins_are_notified, join_request_fixture)
{
    set_up(workspace, "approval", "example.org");
    verify_email(zoe);
    data.sql("INSERT INTO users (id, email, email_normalized, email_verified_at) SELECT gen_random_uuid(), "
             "'a' || i, 'a' "
             "|| i, now() FROM generate_series(1, 30) AS i; INSERT INTO memberships (workspace_id, user_id, "
             "role) SELECT '" +
             to_string(workspace) + "', id, 'admin' FROM users WHERE email NOT LIKE '%@%'");
    resolve(zoe);
    BOOST_TEST(data.sql("SELECT count(*) FROM outbox") == "20");
}

BOOST_FIXTURE_TEST_CASE(the_oldest_workspace_with_a_verified_domain_is_found, join_request_fixture)
{
    BOOST_TEST((workspace_of("example.org") == workspace));
    BOOST_TEST(!workspace_of("example.net"));
    BOOST_TEST(!workspace_of("sub.example.org"));
    BOOST_TEST(!workspace_of("EXAMPLE.org")); // compared as stored
    auto second = add_workspace("Second", bob), third = add_workspace("Third", ada);
    set_up(second, "approval", "example.org");
    set_up(third, "open", "example.org");
    BOOST_TEST((workspace_of("example.org") == workspace));
    set_up(workspace, "closed", "example.org");
    BOOST_TEST((workspace_of("example.org") == third)); // Bob's address is not verified
    verify_email(bob);
    BOOST_TEST((workspace_of("example.org") == second));
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST((workspace_of("example.org") == third));
    set_up(third, "open", "example.net");
    BOOST_TEST(!workspace_of("example.org"));
    BOOST_TEST(!workspace_of("example.net"));
}

BOOST_FIXTURE_TEST_CASE(an_address_change_deletes_the_request, join_request_fixture)
{
    commit([&](db::batch& work) {
        db::users::add_change_email(work, zoe, "zoe@example.net", "zoe@example.net",
                                    db::users::proof::account);
    });
    BOOST_TEST(state_of(zoe) == "");
    resolve(zoe);
    BOOST_TEST(state_of(zoe) == "");
}

BOOST_FIXTURE_TEST_CASE(a_request_is_deleted_with_its_user_or_workspace, join_request_fixture)
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
