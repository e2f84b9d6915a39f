#include "db/tables/one_time_tokens.hpp"
#include "db/tables/outbox.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

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

    auto events = events_of(space);
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
    auto disable = [&](std::string email) {
        return run([&] {
            return db::users::disable(changes, one.db, email, house::event("user.disable"), &house::new_id);
        });
    };
    BOOST_TEST((disable("bob@example.org") == bob));
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    auto row = run([&] { return db::api_keys::find_by_digest(one.db, key.digest); });
    BOOST_TEST((row.value().status == db::api_keys::status::revoked));
    BOOST_TEST(run([&] { return db::users::find(one.db, bob); }).value().disabled_at.has_value());
    BOOST_CHECK_EXCEPTION(add_session(bob), db::failure, db::sessions::was_outdated);
    BOOST_TEST(!disable("nobody@example.org"));
}

namespace {

/// Eve has signed up, alone in a workspace of her own, and proved nothing.
struct newcomer : house::fixture {
    db::uuid eve = add_user("eve@example.org");
    db::uuid hers = add_workspace("Lovelace", eve);

    void vacate(const db::uuid& whose)
    {
        commit([&](db::batch& work) { db::users::add_vacate(work, whose); });
    }

    /// All that is said of an address, sorted: "free", "taken", "taken verified", "taken disabled".
    std::string state_of(const std::string& address)
    {
        auto found = run([&] { return db::users::find_by_email(one.db, address); });
        if (!found)
            return "free";
        return std::string("taken") + (found->email_verified_at ? " verified" : "") +
               (found->disabled_at ? " disabled" : "");
    }

    std::string count(const std::string& what) { return data.sql("SELECT count(*) FROM " + what); }

    std::string whose(const db::uuid& id) { return " WHERE user_id = '" + to_string(id) + "'"; }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(who_never_signed_in_makes_room_without_a_trace, newcomer)
{
    data.sql("INSERT INTO outbox (id, kind, recipient, user_id) VALUES (gen_random_uuid(), 'verify', 'x', '" +
             to_string(eve) + "')");
    vacate(eve);
    BOOST_TEST(state_of("eve@example.org") == "free");
    BOOST_TEST(count("users") == "2");
    BOOST_TEST(count("workspaces") == "1");
    BOOST_TEST(count("outbox") == "0");
    vacate(eve);
    vacate(new_id());
    BOOST_TEST(count("users") == "2");
}

BOOST_FIXTURE_TEST_CASE(the_room_is_used_in_the_same_batch, newcomer)
{
    auto next = draft_of("eve@example.org");
    auto answers = commit([&](db::batch& work) {
        db::users::add_vacate(work, eve);
        db::users::add_insert(work, next);
    });
    BOOST_TEST((answers.last().as_one<db::users::row>().id == next.id));
    auto found = run([&] { return db::users::find_by_email(one.db, "eve@example.org"); });
    BOOST_TEST((found.value().id == next.id));
}

BOOST_FIXTURE_TEST_CASE(who_has_signed_in_is_shut_and_keeps_what_is_theirs, newcomer)
{
    auto session = add_session(eve);
    workspace = hers;
    auto key = add_key(eve);
    db::one_time_tokens::draft token;
    token.user_id = eve;
    token.digest = house::new_digest();
    token.email = "eve@example.org";
    token.expires_at = in(std::chrono::hours(1));
    db::outbox::draft letter;
    letter.id = new_id();
    commit([&](db::batch& work) {
        db::one_time_tokens::add_replace(work, token);
        db::outbox::add_to_user(work, letter, eve);
    });

    vacate(eve);
    BOOST_TEST(state_of("eve@example.org") == "free");
    auto shut = run([&] { return db::users::find(one.db, eve); }).value();
    BOOST_TEST(shut.disabled_at.has_value());
    BOOST_TEST(!shut.password_hash);
    BOOST_TEST(shut.password_version == 1);
    BOOST_TEST(shut.email == "eve@example.org");
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    BOOST_TEST((run([&] { return db::api_keys::find_by_digest(one.db, key.digest); }).value().status ==
                db::api_keys::status::revoked));
    BOOST_TEST(count("one_time_tokens" + whose(eve)) == "0");
    BOOST_TEST(count("outbox" + whose(eve)) == "0");
    BOOST_TEST(count("workspaces") == "2");
    BOOST_CHECK_EXCEPTION(add_session(eve), db::failure, db::sessions::was_outdated);

    auto next = add_user("eve@example.org"); // who proves nothing either
    data.sql("INSERT INTO sessions SELECT gen_random_uuid(), '" + to_string(next) +
             "', NULL, '', 0, now(), '', '', now(), now(), now(), '', '' ");
    vacate(next);
    BOOST_TEST(state_of("eve@example.org") == "free");
    BOOST_TEST(count("users WHERE email_normalized LIKE 'vacated/%'") == "2");
}

BOOST_FIXTURE_TEST_CASE(who_has_proved_the_address_keeps_it, newcomer)
{
    data.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(eve) + "'");
    vacate(eve);
    BOOST_TEST(state_of("eve@example.org") == "taken verified");
    BOOST_TEST(count("workspaces") == "2");
}

BOOST_FIXTURE_TEST_CASE(who_has_been_disabled_keeps_it_too, newcomer)
{
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(eve) + "'");
    vacate(eve);
    BOOST_TEST(state_of("eve@example.org") == "taken disabled");
}

BOOST_FIXTURE_TEST_CASE(who_has_colleagues_stays, newcomer)
{
    auto session = add_session(bob);
    vacate(ada); // in a workspace of her own
    vacate(bob); // in another's
    BOOST_TEST(state_of("ada@example.org") == "taken");
    BOOST_TEST(state_of("bob@example.org") == "taken");
    BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, session); }).has_value());
    BOOST_TEST(count("memberships") == "3");
}

BOOST_FIXTURE_TEST_CASE(who_proves_the_address_in_the_middle_keeps_it, newcomer)
{
    support::transaction rival(data.conninfo());
    rival.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(eve) + "'");
    auto waited = rival.commit_when_waited_for();
    vacate(eve);
    BOOST_TEST(waited.get());
    BOOST_TEST(state_of("eve@example.org") == "taken verified");
}

BOOST_FIXTURE_TEST_CASE(an_address_is_verified_if_it_is_still_this_one, newcomer)
{
    auto verify = [&](const std::string& address) {
        auto answers = commit([&](db::batch& work) {
            db::users::add_verify_email(work, eve, address, house::event("team.join"));
        });
        return answers.first().as_optional<db::users::row>();
    };
    BOOST_TEST(!verify("old@example.org"));
    BOOST_TEST(state_of("eve@example.org") == "taken");
    auto first = verify("eve@example.org");
    BOOST_REQUIRE(first);
    BOOST_TEST(first->email_verified_at.has_value());
    BOOST_TEST((verify("eve@example.org").value().email_verified_at == first->email_verified_at));
    BOOST_TEST(state_of("ada@example.org") == "taken");

    data.sql("UPDATE users SET email_verified_at = NULL, disabled_at = now()");
    BOOST_TEST(!verify("eve@example.org"));
    BOOST_TEST(state_of("eve@example.org") == "taken disabled");
}

BOOST_FIXTURE_TEST_CASE(an_address_changes_and_is_proved_by_that, newcomer)
{
    auto change = [&](std::string_view typed, std::string_view compared) {
        auto answers =
            commit([&](db::batch& work) { db::users::add_change_email(work, eve, typed, compared); });
        return answers.first().as_optional<db::users::row>();
    };
    auto changed = change("New@Example.org", "new@example.org");
    BOOST_REQUIRE(changed);
    BOOST_TEST(changed->email == "New@Example.org");
    BOOST_TEST(state_of("new@example.org") == "taken verified");
    BOOST_TEST(state_of("eve@example.org") == "free");

    auto is_taken = [](const db::failure& error) { return error.is_unique_violation("users_email_key"); };
    BOOST_CHECK_EXCEPTION(change("ada@example.org", "ada@example.org"), db::failure, is_taken);
    BOOST_TEST(state_of("new@example.org") == "taken verified");

    data.sql("UPDATE users SET disabled_at = now()");
    BOOST_TEST(!change("newer@example.org", "newer@example.org"));
    BOOST_TEST(state_of("newer@example.org") == "free");
}

BOOST_FIXTURE_TEST_CASE(who_is_deleted_takes_along_all_that_was_theirs_alone, newcomer)
{
    add_member(workspace, eve, "member");
    auto second = add_workspace("Second", eve);
    add_session(eve);
    add_key(eve);
    auto deed = house::event("api_key.mint"), by_another = house::event("team.add"),
         other = house::event("x");
    auto eves_id = to_string(eve), bobs_id = to_string(bob);
    deed.workspace_id = by_another.workspace_id = other.workspace_id = workspace;
    deed.actor_id = eve;
    deed.credential_id = new_id();
    deed.target = "somekey1";
    by_another.actor_id = ada;
    by_another.target = eves_id;
    other.actor_id = bob;
    other.target = bobs_id;
    commit([&](db::batch& work) {
        for (auto event : {&deed, &by_another, &other})
            db::audit::add(work, *event);
    });

    auto answers = commit([&](db::batch& work) { db::users::add_delete(work, eve); });
    auto gone = answers.first().as_vector<db::uuid>();
    std::ranges::sort(gone);
    BOOST_TEST((gone == std::vector<db::uuid>{hers, second}));
    BOOST_TEST(state_of("eve@example.org") == "free");
    BOOST_TEST(count("workspaces") == "1");
    BOOST_TEST(count("memberships") == "2");
    BOOST_TEST(count("sessions") == "0");
    BOOST_TEST(count("api_keys") == "0");

    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 3u);
    auto find = [&](const db::uuid& id) { return *std::ranges::find(events, id, &db::audit::row::id); };
    auto done = find(deed.id), suffered = find(by_another.id), untouched = find(other.id);
    BOOST_TEST(!done.actor_id);
    BOOST_TEST(!done.credential_id);
    BOOST_TEST(done.ip == "");
    BOOST_TEST(done.user_agent == "");
    BOOST_TEST(done.target.value() == "somekey1");
    BOOST_TEST((suffered.actor_id == ada));
    BOOST_TEST(!suffered.target);
    BOOST_TEST(suffered.ip == "192.0.2.1");
    BOOST_TEST((untouched.actor_id == bob));
    BOOST_TEST(untouched.target.value() == bobs_id);
    BOOST_TEST(untouched.ip == "192.0.2.1");

    commit([&](db::batch& work) { db::users::add_delete(work, eve); }); // again: nobody
    BOOST_TEST(count("users") == "2");
}

BOOST_FIXTURE_TEST_CASE(nobody_is_deleted_who_owns_what_others_belong_to, newcomer)
{
    auto empty = add_workspace("Empty", ada);
    auto remove = [&](const db::uuid& who) {
        commit([&](db::batch& work) { db::users::add_delete(work, who); });
    };
    BOOST_CHECK_EXCEPTION(remove(ada), db::failure, db::users::would_orphan);
    BOOST_TEST(state_of("ada@example.org") == "taken");
    BOOST_TEST(count("workspaces WHERE id = '" + to_string(empty) + "'") == "1");
    remove(bob);
    remove(ada);
    BOOST_TEST(count("users") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_member_who_is_just_being_added_counts, newcomer)
{
    support::transaction rival(data.conninfo());
    rival.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + to_string(hers) + "', '" +
              to_string(bob) + "', 'member')");
    auto waited = rival.commit_when_waited_for();
    BOOST_CHECK_EXCEPTION(commit([&](db::batch& work) { db::users::add_delete(work, eve); }), db::failure,
                          db::users::would_orphan);
    BOOST_TEST(waited.get());
    BOOST_TEST(count("memberships WHERE workspace_id = '" + to_string(hers) + "'") == "2");
}

BOOST_FIXTURE_TEST_CASE(notices_are_switched_one_by_one, house::fixture)
{
    auto show = [&] { return run([&] { return db::users::find_notifications(one.db, ada); }).value(); };
    auto update = [&](const std::string& switched) {
        auto after = run([&] { return db::users::update_notifications(one.db, ada, switched); }).value();
        BOOST_TEST(show() == after);
        return after;
    };
    BOOST_TEST(show() == "{}");
    BOOST_TEST(update(R"({"a":{"email":false}})") == R"({"a": {"email": false}})");
    BOOST_TEST(update("{}") == R"({"a": {"email": false}})");
    BOOST_TEST(update(R"({"b":{"email":true}})") == R"({"a": {"email": false}, "b": {"email": true}})");
    BOOST_TEST(update(R"({"a":{},"b":{"push":false}})") ==
               R"({"a": {"email": false}, "b": {"push": false, "email": true}})");
    BOOST_TEST(update(R"({"a":{"email":true}})") ==
               R"({"a": {"email": true}, "b": {"push": false, "email": true}})");
    BOOST_TEST(run([&] { return db::users::find_notifications(one.db, bob); }).value() == "{}");
    BOOST_TEST(!run([&] { return db::users::find_notifications(one.db, new_id()); }));
    BOOST_TEST(!run([&] { return db::users::update_notifications(one.db, new_id(), "{}"); }));
}

BOOST_AUTO_TEST_SUITE_END()
