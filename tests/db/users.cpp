#define BOOST_TEST_DYN_LINK
#include "tests/db/house.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(users)

using house::in;
using house::new_id;

static db::users::draft draft_of(std::string_view email)
{
    db::users::draft out;
    out.id = new_id();
    out.email = email;
    out.email_normalized = email;
    out.password_hash = "hash";
    out.name = "Ada";
    return out;
}

BOOST_FIXTURE_TEST_CASE(a_sign_up_is_one_batch, house::fixture)
{
    static const std::vector<std::uint8_t> salt(16, 1);
    auto user = draft_of("new@example.org");
    auto space = new_id();
    auto answers = commit([&](db::batch& work) {
        db::users::add_insert(work, user);
        db::workspaces::add_insert(work, space, "Hers", user.id);
        db::memberships::add_insert(work, space, user.id, db::role::admin);
        db::users::add_set_last_workspace(work, user.id, space);
        db::sessions::draft session;
        session.id = new_id();
        session.user_id = user.id;
        session.workspace_id = space;
        session.salt = salt;
        session.expires_at = in(std::chrono::hours(1));
        session.ip = "::1";
        session.user_agent = "x";
        db::sessions::add_insert(work, session);
        auto event = house::event("account.signup");
        event.workspace_id = space;
        event.actor_id = user.id;
        event.details = R"({"how":"password"})";
        db::audit::add(work, event);
    });
    auto row = answers[0].as_one<db::users::row>();
    BOOST_TEST(row.email == "new@example.org");
    BOOST_TEST(row.name.value() == "Ada");
    BOOST_TEST(!row.email_verified_at);
    auto membership = answers[2].as_one<db::memberships::row>();
    BOOST_TEST(membership.is_owner);
    BOOST_TEST((membership.role == db::role::admin));

    auto events = run([&] { return db::audit::list(one.db, space, std::nullopt, 10); });
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "account.signup");
    BOOST_TEST(events[0].details == R"({"how": "password"})");
    BOOST_TEST((events[0].actor_id == user.id));
}

BOOST_FIXTURE_TEST_CASE(an_address_has_one_account, house::fixture)
{
    auto taken = draft_of("ada@example.org");
    auto is_taken = [](const db::failure& error) { return error.is_unique_violation("users_email_key"); };
    BOOST_CHECK_EXCEPTION(commit([&](db::batch& work) { db::users::add_insert(work, taken); }), db::failure,
                          is_taken);
}

BOOST_FIXTURE_TEST_CASE(a_login_leads_to_the_workspace_last_used_then_to_the_oldest_then_nowhere,
                        house::fixture)
{
    auto second = add_workspace("Second", bob);
    auto login = [&] {
        return run([&] { return db::users::find_for_login(one.db, "bob@example.org"); }).value().place;
    };
    BOOST_TEST((login().value().workspace.id == workspace));
    BOOST_TEST(!login().value().membership.is_owner);

    commit([&](db::batch& work) { db::users::add_set_last_workspace(work, bob, second); });
    BOOST_TEST((login().value().workspace.id == second));
    BOOST_TEST(login().value().membership.is_owner);

    data.sql("DELETE FROM memberships WHERE workspace_id = '" + to_string(second) + "'");
    BOOST_TEST((login().value().workspace.id == workspace));
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!login());
    BOOST_TEST(!run([&] { return db::users::find_for_login(one.db, "nobody@example.org"); }));
}

BOOST_FIXTURE_TEST_CASE(a_profile_member_is_kept_cleared_or_set, house::fixture)
{
    db::users::profile_edit set;
    set.name = "Ada";
    set.title = "Countess";
    set.timezone = "Europe/London";
    auto changed = run([&] { return db::users::update_profile(one.db, ada, set); });
    BOOST_TEST(changed.value().name.value() == "Ada");
    BOOST_TEST(changed.value().title.value() == "Countess");

    db::users::profile_edit clear;
    clear.title.emplace(std::nullopt);
    changed = run([&] { return db::users::update_profile(one.db, ada, clear); });
    BOOST_TEST(changed.value().name.value() == "Ada");
    BOOST_TEST(!changed.value().title);
    BOOST_TEST(changed.value().timezone == "Europe/London");
    BOOST_TEST(changed.value().locale == "en");
    BOOST_TEST(!run([&] { return db::users::update_profile(one.db, new_id(), set); }));
}

BOOST_FIXTURE_TEST_CASE(an_upgraded_hash_never_brings_an_old_password_back, house::fixture)
{
    BOOST_TEST(run([&] { return db::users::update_password_hash(one.db, ada, "hash", "better"); }));
    BOOST_TEST(!run([&] { return db::users::update_password_hash(one.db, ada, "hash", "older"); }));
    auto row = run([&] { return db::users::find(one.db, ada); });
    BOOST_TEST(row.value().password_hash.value() == "better");
    BOOST_TEST(row.value().password_version == 0);
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_loses_its_sessions_and_keys, house::fixture)
{
    auto session = add_session(bob);
    auto key = add_key(bob);
    auto disabled = run([&] { return db::users::disable(changes, one.db, "bob@example.org"); });
    BOOST_TEST((disabled == bob));
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    auto row = run([&] { return db::api_keys::find_by_digest(one.db, key.digest); });
    BOOST_TEST((row.value().status == db::api_keys::status::revoked));
    BOOST_TEST(run([&] { return db::users::find(one.db, bob); }).value().disabled_at.has_value());
    BOOST_CHECK_EXCEPTION(add_session(bob), db::failure, db::sessions::was_outdated);
    BOOST_TEST(!run([&] { return db::users::disable(changes, one.db, "nobody@example.org"); }));
}

BOOST_AUTO_TEST_SUITE_END()
