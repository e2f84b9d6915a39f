// The users table: sign-up, login, profile, and the account lifecycle.
#include "db/tables/one_time_tokens.hpp"
#include "db/tables/outbox.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(users)

using db::test::from_now;
using db::test::new_id;

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

BOOST_FIXTURE_TEST_CASE(a_sign_up_is_one_batch, db::test::database_fixture)
{
    static const std::vector<std::uint8_t> salt(16, 1);
    auto user = draft_of("new@example.org");
    auto workspace_id = new_id();
    auto answers = commit([&](db::batch& work) {
        db::users::add_insert(work, user);
        db::workspaces::add_insert(work, workspace_id, "Hers", user.id);
        db::memberships::add_insert(work, workspace_id, user.id, db::role::admin);
        db::users::add_set_last_workspace(work, user.id, workspace_id);
        db::sessions::draft session;
        session.id = new_id();
        session.user_id = user.id;
        session.workspace_id = workspace_id;
        session.salt = salt;
        session.expires_at = from_now(std::chrono::hours(1));
        session.ip = "::1";
        session.user_agent = "x";
        db::sessions::add_insert(work, session);
        auto event = db::test::event("account.signup");
        event.workspace_id = workspace_id;
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

    auto events = events_of(workspace_id);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "account.signup");
    BOOST_TEST(events[0].details == R"({"how": "password"})");
    BOOST_TEST((events[0].actor_id == user.id));
}

BOOST_FIXTURE_TEST_CASE(an_address_has_one_account, db::test::database_fixture)
{
    auto taken = draft_of("ada@example.org");
    auto is_taken = [](const db::failure& error) { return error.is_unique_violation("users_email_key"); };
    BOOST_CHECK_EXCEPTION(commit([&](db::batch& work) { db::users::add_insert(work, taken); }), db::failure,
                          is_taken);
}

BOOST_FIXTURE_TEST_CASE(a_login_opens_the_workspace_last_used_else_the_oldest_else_none,
                        db::test::database_fixture)
{
    auto second = add_workspace("Second", bob);
    auto login = [&] {
        return run([&] { return db::users::find_for_login(one.db, "bob@example.org"); })
            .value()
            .login_workspace;
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
    BOOST_TEST(!run([&] { return db::users::find_for_login(one.db, "unknown@example.org"); }));
}

BOOST_FIXTURE_TEST_CASE(a_profile_member_is_kept_cleared_or_set, db::test::database_fixture)
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

BOOST_FIXTURE_TEST_CASE(a_rehash_never_restores_an_old_password, db::test::database_fixture)
{
    BOOST_TEST(run([&] { return db::users::update_password_hash(one.db, ada, "hash", "better"); }));
    BOOST_TEST(!run([&] { return db::users::update_password_hash(one.db, ada, "hash", "older"); }));
    auto row = run([&] { return db::users::find(one.db, ada); });
    BOOST_TEST(row.value().password_hash.value() == "better");
    BOOST_TEST(row.value().password_version == 0);
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_loses_its_sessions_and_keys, db::test::database_fixture)
{
    auto session = add_session(bob);
    auto key = add_key(bob);
    auto disable = [&](std::string email) {
        return run([&] {
            return db::users::disable(db::transaction(changes, one.db), email,
                                      db::test::event("user.disable"), &db::test::new_id);
        });
    };
    BOOST_TEST((disable("bob@example.org") == bob));
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    auto row = run([&] { return db::api_keys::find_by_digest(one.db, key.digest); });
    BOOST_TEST((row.value().status == db::api_keys::status::revoked));
    BOOST_TEST(run([&] { return db::users::find(one.db, bob); }).value().disabled_at.has_value());
    BOOST_CHECK_EXCEPTION(add_session(bob), db::failure, db::sessions::was_outdated);
    BOOST_TEST(!disable("unknown@example.org"));
}

namespace {

/// Eve has signed up, is alone in a workspace of her own, and has not verified her address.
struct unverified_account : db::test::database_fixture {
    db::uuid eve = add_user("eve@example.org");
    db::uuid lovelace = add_workspace("Lovelace", eve);

    void retire(const db::uuid& user)
    {
        commit([&](db::batch& work) { db::users::add_retire(work, user); });
    }

    /// The state of an address: "free", "taken", "taken verified", "taken disabled".
    std::string state_of(const std::string& address)
    {
        auto found = run([&] { return db::users::find_by_email(one.db, address); });
        if (!found)
            return "free";
        return std::string("taken") + (found->email_verified_at ? " verified" : "") +
               (found->disabled_at ? " disabled" : "");
    }

    std::string count(const std::string& from) { return data.sql("SELECT count(*) FROM " + from); }

    std::string of_user(const db::uuid& id) { return " WHERE user_id = '" + to_string(id) + "'"; }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_address_of_a_retired_account_is_used_in_the_same_batch, unverified_account)
{
    auto next = draft_of("eve@example.org");
    auto answers = commit([&](db::batch& work) {
        db::users::add_retire(work, eve);
        db::users::add_insert(work, next);
    });
    BOOST_TEST((answers.last().as_one<db::users::row>().id == next.id));
    auto found = run([&] { return db::users::find_by_email(one.db, "eve@example.org"); });
    BOOST_TEST((found.value().id == next.id));
}

BOOST_FIXTURE_TEST_CASE(a_retired_account_loses_its_credentials_and_keeps_its_data, unverified_account)
{
    auto session = add_session(eve);
    workspace = lovelace;
    auto key = add_key(eve);
    db::one_time_tokens::draft token;
    token.user_id = eve;
    token.digest = db::test::new_digest();
    token.email = "eve@example.org";
    token.expires_at = from_now(std::chrono::hours(1));
    db::outbox::draft mail;
    mail.id = new_id();
    commit([&](db::batch& work) {
        db::one_time_tokens::add_replace(work, token);
        db::outbox::add_to_user(work, mail, eve);
    });

    retire(eve);
    BOOST_TEST(state_of("eve@example.org") == "free");
    auto disabled = run([&] { return db::users::find(one.db, eve); }).value();
    BOOST_TEST(disabled.disabled_at.has_value());
    BOOST_TEST(!disabled.password_hash);
    BOOST_TEST(disabled.password_version == 1);
    BOOST_TEST(disabled.email == "eve@example.org");
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    BOOST_TEST((run([&] { return db::api_keys::find_by_digest(one.db, key.digest); }).value().status ==
                db::api_keys::status::revoked));
    BOOST_TEST(count("one_time_tokens" + of_user(eve)) == "0");
    BOOST_TEST(count("outbox" + of_user(eve)) == "0");
    BOOST_TEST(count("workspaces") == "2");
    BOOST_CHECK_EXCEPTION(add_session(eve), db::failure, db::sessions::was_outdated);

    BOOST_CHECK_EXCEPTION(retire(eve), db::failure, db::one_time_tokens::was_invalid);
    retire(add_user("eve@example.org")); // not proved either
    BOOST_TEST(state_of("eve@example.org") == "free");
    BOOST_TEST(count("users WHERE email_normalized LIKE 'released/%'") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_proved_or_disabled_account_is_not_retired, unverified_account)
{
    data.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(eve) + "'");
    BOOST_CHECK_EXCEPTION(retire(eve), db::failure, db::one_time_tokens::was_invalid);
    BOOST_TEST(state_of("eve@example.org") == "taken verified");
    data.sql("UPDATE users SET email_verified_at = NULL, disabled_at = now() WHERE id = '" + to_string(eve) +
             "'");
    BOOST_CHECK_EXCEPTION(retire(eve), db::failure, db::one_time_tokens::was_invalid);
    BOOST_TEST(state_of("eve@example.org") == "taken disabled");
    BOOST_CHECK_EXCEPTION(retire(new_id()), db::failure, db::one_time_tokens::was_invalid);
    data.sql("UPDATE users SET email_verified_at = now(), verified_by_link_only = true, disabled_at = NULL");
    retire(eve);
    BOOST_TEST(state_of("eve@example.org") == "free");
}

BOOST_FIXTURE_TEST_CASE(an_account_with_other_members_in_its_workspaces_is_retired, unverified_account)
{
    auto session = add_session(ada), of_bob = add_session(bob);
    retire(ada);
    BOOST_TEST(state_of("ada@example.org") == "free");
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, session); }));
    BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, of_bob); }).has_value());
    BOOST_TEST(count("memberships") == "3");
}

BOOST_FIXTURE_TEST_CASE(an_account_proved_concurrently_is_not_retired, unverified_account)
{
    support::transaction concurrent(data.conninfo());
    concurrent.sql("UPDATE users SET email_verified_at = now() WHERE id = '" + to_string(eve) + "'");
    BOOST_TEST(concurrent.commit_when_blocking(
        [&] { BOOST_CHECK_EXCEPTION(retire(eve), db::failure, db::one_time_tokens::was_invalid); }));
    BOOST_TEST(state_of("eve@example.org") == "taken verified");
}

BOOST_FIXTURE_TEST_CASE(an_address_is_verified_if_it_is_unchanged, unverified_account)
{
    auto by = db::users::proof::link;
    auto verify = [&](const std::string& address) {
        auto answers = commit([&](db::batch& work) {
            db::users::add_verify_email(work, eve, address, by, db::test::event("team.join"));
        });
        return answers.first().as_optional<db::users::row>();
    };
    BOOST_TEST(!verify("old@example.org"));
    BOOST_TEST(state_of("eve@example.org") == "taken");
    auto first = verify("eve@example.org");
    BOOST_REQUIRE(first);
    BOOST_TEST(first->email_verified_at.has_value());
    BOOST_TEST(!db::users::is_proved(*first));
    by = db::users::proof::account;
    BOOST_TEST(db::users::is_proved(verify("eve@example.org").value()));
    by = db::users::proof::link; // it stays proved
    auto last = verify("eve@example.org").value();
    BOOST_TEST(db::users::is_proved(last));
    BOOST_TEST((last.email_verified_at == first->email_verified_at));
    BOOST_TEST(state_of("ada@example.org") == "taken");

    data.sql("UPDATE users SET email_verified_at = NULL, disabled_at = now()");
    BOOST_TEST(!verify("eve@example.org"));
    BOOST_TEST(state_of("eve@example.org") == "taken disabled");
}

BOOST_FIXTURE_TEST_CASE(a_changed_address_is_verified, unverified_account)
{
    auto change = [&](std::string_view email, std::string_view normalized) {
        auto answers = commit([&](db::batch& work) {
            db::users::add_change_email(work, eve, email, normalized, db::users::proof::account);
        });
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

BOOST_FIXTURE_TEST_CASE(a_deleted_user_takes_their_own_data_along_and_is_anonymized_in_the_audit_log,
                        unverified_account)
{
    add_member(workspace, eve, "member");
    auto second = add_workspace("Second", eve);
    add_session(eve);
    add_key(eve);
    auto by_eve = db::test::event("api_key.mint"), by_ada = db::test::event("team.add"),
         other = db::test::event("x");
    auto eves_id = to_string(eve), bobs_id = to_string(bob);
    by_eve.workspace_id = by_ada.workspace_id = other.workspace_id = workspace;
    by_eve.actor_id = eve;
    by_eve.credential_id = new_id();
    by_eve.target = "somekey1";
    by_ada.actor_id = ada;
    by_ada.target = eves_id;
    other.actor_id = bob;
    other.target = bobs_id;
    commit([&](db::batch& work) {
        for (auto event : {&by_eve, &by_ada, &other})
            db::audit::add(work, *event);
    });

    auto answers = commit([&](db::batch& work) { db::users::add_delete(work, eve); });
    auto deleted = answers.first().as_vector<db::uuid>();
    std::ranges::sort(deleted);
    BOOST_TEST((deleted == std::vector<db::uuid>{lovelace, second}));
    BOOST_TEST(state_of("eve@example.org") == "free");
    BOOST_TEST(count("workspaces") == "1");
    BOOST_TEST(count("memberships") == "2");
    BOOST_TEST(count("sessions") == "0");
    BOOST_TEST(count("api_keys") == "0");

    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 3u);
    auto find = [&](const db::uuid& id) { return *std::ranges::find(events, id, &db::audit::row::id); };
    auto done = find(by_eve.id), targeted = find(by_ada.id), untouched = find(other.id);
    BOOST_TEST(!done.actor_id);
    BOOST_TEST(!done.credential_id);
    BOOST_TEST(done.ip == "");
    BOOST_TEST(done.user_agent == "");
    BOOST_TEST(done.target.value() == "somekey1");
    BOOST_TEST((targeted.actor_id == ada));
    BOOST_TEST(!targeted.target);
    BOOST_TEST(targeted.ip == "192.0.2.1");
    BOOST_TEST((untouched.actor_id == bob));
    BOOST_TEST(untouched.target.value() == bobs_id);
    BOOST_TEST(untouched.ip == "192.0.2.1");

    commit([&](db::batch& work) { db::users::add_delete(work, eve); }); // again, without effect
    BOOST_TEST(count("users") == "2");
}

BOOST_FIXTURE_TEST_CASE(an_owner_of_a_workspace_with_other_members_is_not_deleted, unverified_account)
{
    auto empty = add_workspace("Empty", ada);
    auto remove = [&](const db::uuid& user) {
        commit([&](db::batch& work) { db::users::add_delete(work, user); });
    };
    BOOST_CHECK_EXCEPTION(remove(ada), db::failure, db::users::would_leave_ownerless);
    BOOST_TEST(state_of("ada@example.org") == "taken");
    BOOST_TEST(count("workspaces WHERE id = '" + to_string(empty) + "'") == "1");
    remove(bob);
    remove(ada);
    BOOST_TEST(count("users") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_member_added_concurrently_counts, unverified_account)
{
    support::transaction concurrent(data.conninfo());
    concurrent.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + to_string(lovelace) +
                   "', '" + to_string(bob) + "', 'member')");
    auto remove_eve = [&] { commit([&](db::batch& work) { db::users::add_delete(work, eve); }); };
    BOOST_TEST(concurrent.commit_when_blocking(
        [&] { BOOST_CHECK_EXCEPTION(remove_eve(), db::failure, db::users::would_leave_ownerless); }));
    BOOST_TEST(count("memberships WHERE workspace_id = '" + to_string(lovelace) + "'") == "2");
}

BOOST_FIXTURE_TEST_CASE(notification_preferences_are_merged, db::test::database_fixture)
{
    auto show = [&] { return run([&] { return db::users::find_notifications(one.db, ada); }).value(); };
    auto update = [&](const std::string& preferences) {
        auto after = run([&] { return db::users::update_notifications(one.db, ada, preferences); }).value();
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

BOOST_FIXTURE_TEST_CASE(the_most_common_password_costs, db::test::database_fixture)
{
    auto find = [&] { return run([&] { return db::users::find_common_password_costs(one.db); }); };
    data.sql("UPDATE users SET password_hash = NULL");
    BOOST_TEST(!find().has_value());
    data.sql("UPDATE users SET password_hash = '$argon2id$v=19$m=64,t=1,p=1$salt$hash'");
    BOOST_TEST(find().value() == "m=64,t=1,p=1");
    data.sql(
        "INSERT INTO users (id, email, email_normalized, password_hash) SELECT gen_random_uuid(), n::text, "
        "n::text, CASE WHEN n < 20000 THEN '$argon2id$v=19$m=128,t=2,p=1$salt$hash' ELSE 'other' END "
        "FROM generate_series(1, 50000) AS n");
    BOOST_TEST(find().value() == "m=128,t=2,p=1");
}

BOOST_AUTO_TEST_SUITE_END()
