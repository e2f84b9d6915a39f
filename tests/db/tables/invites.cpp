// The invites table: open and closed invites, their tokens, and their cancellation with the sender.
#include "db/tables/invites.hpp"

#include "db/tables/one_time_tokens.hpp"
#include "db/tables/retention.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(invites)

namespace {

using db::invites::outcome;

struct invite_fixture : db::test::database_fixture {
    db::audit::entry event_in(const db::uuid& in_workspace, std::string_view action) const
    {
        auto out = db::test::event(action);
        out.workspace_id = in_workspace;
        return out;
    }

    db::invites::draft draft_for(const std::string& email, db::role role = db::role::member) const
    {
        db::invites::draft out;
        out.id = db::test::new_id();
        out.email = email;
        out.email_normalized = email;
        out.role = role;
        out.digest = db::test::new_digest();
        out.mail.emplace();
        out.mail->id = db::test::new_id();
        out.mail->kind = db::outbox::kind::invite;
        out.event = event_in(workspace, "invite.create");
        return out;
    }

    std::vector<outcome> invite(const std::vector<db::invites::draft>& drafts, std::optional<db::uuid> by,
                                std::chrono::seconds ttl = std::chrono::hours(1))
    {
        return run([&] {
            return db::invites::create(db::transaction(changes, one.db), workspace,
                                       db::invites::sender{by, {}}, db::test::from_now(ttl), drafts);
        });
    }

    /// Creates an invite. @return its draft
    db::invites::draft create_invite(const std::string& email, db::role role = db::role::member,
                                     std::optional<db::uuid> by = {})
    {
        auto draft = draft_for(email, role);
        BOOST_REQUIRE((invite({draft}, by ? by : ada) == std::vector{outcome::created}));
        return draft;
    }

    std::optional<db::invites::preview> preview(const db::digest& digest)
    {
        return run([&] { return db::invites::find_by_digest(one.db, digest); });
    }

    void accept(const db::digest& digest, const db::uuid& user)
    {
        commit([&](db::batch& work) { db::invites::add_accept(work, digest, user); });
    }

    bool resend(const db::uuid& id, const db::digest& digest, const db::uuid& in_workspace)
    {
        auto mail = *draft_for("x").mail;
        return run([&] {
            return db::invites::resend(
                db::transaction(changes, one.db), in_workspace, id, db::invites::sender{ada, {}}, digest,
                db::test::from_now(std::chrono::hours(1)), mail, event_in(in_workspace, "invite.resend"));
        });
    }

    bool cancel(const db::uuid& id, const db::uuid& in_workspace)
    {
        return run([&] {
            return db::invites::cancel(db::transaction(changes, one.db), in_workspace, id,
                                       event_in(in_workspace, "invite.cancel"));
        });
    }

    /// The addresses of open invites, sorted.
    std::string open()
    {
        return data.sql(
            "SELECT coalesce(string_agg(email, ' ' ORDER BY email), '') FROM invites WHERE accepted_at IS "
            "NULL AND cancelled_at IS NULL");
    }
};

bool is_invalid(const db::failure& error)
{
    return db::one_time_tokens::was_invalid(error);
}

} // namespace

BOOST_FIXTURE_TEST_CASE(outcomes_are_in_the_order_of_the_drafts, invite_fixture)
{
    std::vector drafts{draft_for("z@example.net"), draft_for("bob@example.org"), draft_for("a@example.net"),
                       draft_for("z@example.net", db::role::admin), draft_for("a@example.net")};
    auto outcomes = invite(drafts, ada);
    auto expected = {outcome::created, outcome::already_member, outcome::created, outcome::already_invited,
                     outcome::already_invited};
    BOOST_TEST((outcomes == std::vector(expected)));
    BOOST_TEST(open() == "a@example.net z@example.net");
    BOOST_TEST(data.sql("SELECT role FROM invites WHERE email LIKE 'z@%'") ==
               "member"); // the first of the two
    // One email and one event for each created invite, and for no other.
    BOOST_TEST(data.sql("SELECT string_agg(recipient, ' ' ORDER BY recipient) FROM outbox") ==
               "a@example.net z@example.net");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit") == "2");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE target = '" + to_string(drafts[2].id) + "'") ==
               "1");
    BOOST_TEST((invite({draft_for("z@example.net")}, ada) == std::vector{outcome::already_invited}));
}

BOOST_FIXTURE_TEST_CASE(an_expired_invite_is_replaced_and_a_pending_one_is_not, invite_fixture)
{
    auto old = draft_for("z@example.net", db::role::admin), pending = draft_for("a@example.net");
    invite({old}, ada, std::chrono::seconds(-1));
    invite({pending}, ada);
    auto outcomes = invite({draft_for("z@example.net"), draft_for("a@example.net")}, bob);
    auto expected = {outcome::created, outcome::already_invited};
    BOOST_TEST((outcomes == std::vector(expected)));
    BOOST_TEST((preview(old.digest).value().status == db::invites::status::cancelled));
    BOOST_TEST((preview(pending.digest).value().status == db::invites::status::pending));
}

BOOST_FIXTURE_TEST_CASE(a_token_shows_its_invite_in_every_state, invite_fixture)
{
    BOOST_TEST(!preview(db::test::new_digest()));
    auto first = create_invite("z@example.net", db::role::manager);
    auto shown = preview(first.digest).value();
    BOOST_TEST(shown.workspace == "Engines");
    BOOST_TEST((shown.role == db::role::manager));
    BOOST_TEST(shown.invited_by.value() == "ada@example.org");
    BOOST_TEST(!shown.is_replaced);
    BOOST_TEST(!shown.has_account);
    auto second = db::test::new_digest(), third = db::test::new_digest();
    BOOST_TEST(resend(first.id, second, workspace));
    BOOST_TEST(resend(first.id, third, workspace));
    for (auto& older : {first.digest, second})
        BOOST_TEST(preview(older).value().is_replaced);
    BOOST_TEST(!preview(third).value().is_replaced);
    auto zoe = add_user("z@example.net");
    BOOST_CHECK_EXCEPTION(accept(second, zoe), db::failure, is_invalid);
    accept(third, zoe);
    for (auto& each : {first.digest, second, third})
        BOOST_TEST((preview(each).value().status == db::invites::status::accepted));
    BOOST_TEST(!resend(first.id, db::test::new_digest(), workspace));
    BOOST_TEST(!cancel(first.id, workspace));
}

BOOST_FIXTURE_TEST_CASE(an_invite_is_unknown_in_another_workspace, invite_fixture)
{
    auto made = create_invite("z@example.net");
    auto elsewhere = add_workspace("Second", bob);
    BOOST_TEST(!resend(made.id, db::test::new_digest(), elsewhere));
    BOOST_TEST(!cancel(made.id, elsewhere));
    BOOST_TEST(!run([&] { return db::invites::find(one.db, elsewhere, made.id); }));
    BOOST_TEST(run([&] { return db::invites::find(one.db, workspace, made.id); }).has_value());
    BOOST_TEST(data.sql("SELECT count(*) FROM outbox") == "1");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE action <> 'invite.create'") == "0");
    BOOST_TEST(cancel(made.id, workspace));
    BOOST_TEST(!cancel(made.id, workspace));
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE action = 'invite.cancel'") == "1");
}

BOOST_FIXTURE_TEST_CASE(only_the_invitee_accepts_it_and_only_once, invite_fixture)
{
    auto made = create_invite("z@example.net", db::role::admin);
    auto zoe = add_user("z@example.net"), eve = add_user("eve@example.net");
    BOOST_CHECK_EXCEPTION(accept(made.digest, eve), db::failure, is_invalid);
    BOOST_CHECK_EXCEPTION(accept(db::test::new_digest(), zoe), db::failure, is_invalid);
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(zoe) + "'");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_invalid);
    data.sql("UPDATE users SET disabled_at = NULL; UPDATE invites SET expires_at = now()");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_invalid);
    data.sql("UPDATE invites SET expires_at = now() + interval '1 minute'");
    accept(made.digest, zoe);
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_invalid);
    auto found = run([&] { return db::memberships::find(one.db, workspace, zoe); }).value();
    BOOST_TEST((found.membership.role == db::role::admin));
    BOOST_TEST(!found.membership.is_owner);
}

BOOST_FIXTURE_TEST_CASE(an_invite_accepted_by_a_member_stays_open, invite_fixture)
{
    auto made = create_invite("z@example.net", db::role::admin);
    auto zoe = add_user("z@example.net");
    add_member(workspace, zoe, "member");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, db::invites::was_already_member);
    BOOST_TEST(open() == "z@example.net");
    BOOST_TEST(data.sql("SELECT role FROM memberships WHERE user_id = '" + to_string(zoe) + "'") == "member");
}

BOOST_FIXTURE_TEST_CASE(a_role_change_cancels_the_invites_that_the_new_role_does_not_permit, invite_fixture)
{
    auto make = [this] {
        data.sql("DELETE FROM invites");
        create_invite("admin@example.net", db::role::admin, bob);
        create_invite("manager@example.net", db::role::manager, bob);
        create_invite("member@example.net", db::role::member, bob);
        create_invite("byada@example.net", db::role::admin, ada);
    };
    auto open_after = [&](const std::string& role) {
        make();
        data.sql("SELECT cancel_invites('" + to_string(bob) + "', '" + to_string(workspace) + "', " + role +
                 ")");
        return open();
    };
    const std::string adas = "byada@example.net", managers = " manager@example.net member@example.net";
    BOOST_TEST(open_after("'admin'") == "admin@example.net " + adas + managers);
    BOOST_TEST(open_after("'manager'") == adas + managers);
    BOOST_TEST(open_after("'member'") == adas);
    BOOST_TEST(open_after("NULL") == adas);
}

BOOST_FIXTURE_TEST_CASE(closed_invites_and_those_of_other_workspaces_are_unchanged, invite_fixture)
{
    auto zoe = add_user("z@example.net");
    auto accepted = create_invite("z@example.net", db::role::member, bob);
    accept(accepted.digest, zoe);
    auto there = add_workspace("Second", bob);
    data.sql("INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by, digest, "
             "expires_at) "
             "VALUES (gen_random_uuid(), '" +
             to_string(there) + "', 'there@example.net', 'there@example.net', 'member', '" + to_string(bob) +
             "', '\\x01', now() + interval '1 day')");
    create_invite("here@example.net", db::role::member, bob);
    data.sql("SELECT cancel_invites('" + to_string(bob) + "', '" + to_string(workspace) + "', NULL)");
    BOOST_TEST(open() == "there@example.net");
    BOOST_TEST((preview(accepted.digest).value().status == db::invites::status::accepted));
    commit([&](db::batch& work) { db::invites::add_cancel_all_by(work, bob); });
    BOOST_TEST(open() == "");
    BOOST_TEST((preview(accepted.digest).value().status == db::invites::status::accepted));
}

BOOST_FIXTURE_TEST_CASE(disabling_an_account_cancels_its_invites_only, invite_fixture)
{
    create_invite("bobs@example.net", db::role::member, bob);
    create_invite("adas@example.net", db::role::member, ada);
    run([&] {
        return db::users::disable(db::transaction(changes, one.db), "bob@example.org",
                                  db::test::event("user.disable"), &db::test::new_id);
    });
    BOOST_TEST(open() == "adas@example.net");
}

BOOST_FIXTURE_TEST_CASE(an_invite_is_purged_a_month_after_its_expiry, invite_fixture)
{
    auto old = create_invite("old@example.net"), recent = create_invite("recent@example.net");
    auto accepted = create_invite("z@example.net"), pending = create_invite("pending@example.net");
    accept(accepted.digest, add_user("z@example.net"));
    BOOST_REQUIRE(resend(old.id, db::test::new_digest(), workspace));
    data.sql("UPDATE invites SET expires_at = now() - interval '31 days' WHERE email IN ('old@example.net', "
             "'z@example.net'); UPDATE invites SET expires_at = now() - interval '29 days' WHERE email LIKE "
             "'recent%'");
    db::retention sweep(one.db, {});
    run([&] { return sweep.run_to_completion(); });
    BOOST_TEST(!preview(old.digest));
    BOOST_TEST(!preview(accepted.digest));
    BOOST_TEST((preview(recent.digest).value().status == db::invites::status::expired));
    BOOST_TEST((preview(pending.digest).value().status == db::invites::status::pending));
    BOOST_TEST(data.sql("SELECT count(*) FROM replaced_invite_tokens") == "0");
    BOOST_TEST(data.sql("SELECT count(*) FROM memberships") == "3"); // memberships stay
}

BOOST_FIXTURE_TEST_CASE(a_member_cannot_invite_a_higher_role, invite_fixture)
{
    auto may = [this](const std::string& inviter, const std::string& invitee) {
        return data.sql("SELECT may_invite('" + inviter + "', '" + invitee + "')") == "t";
    };
    for (std::string invitee : {"admin", "manager", "member"}) {
        BOOST_TEST(may("admin", invitee));
        BOOST_TEST(may("manager", invitee) == (invitee != "admin"));
        BOOST_TEST(!may("member", invitee));
    }
}

BOOST_AUTO_TEST_SUITE_END()
