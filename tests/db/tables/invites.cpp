// Invites as they are stored: which are open, what a token tells, and with whom they end.
#include "db/tables/invites.hpp"

#include "db/tables/one_time_tokens.hpp"
#include "db/tables/retention.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(invites)

namespace {

using db::invites::outcome;

struct inviting : house::fixture {
    db::audit::entry event_in(const db::uuid& where, std::string_view action) const
    {
        auto out = house::event(action);
        out.workspace_id = where;
        return out;
    }

    db::invites::draft draft_for(const std::string& email, db::role role = db::role::member) const
    {
        db::invites::draft out;
        out.id = house::new_id();
        out.email = email;
        out.email_normalized = email;
        out.role = role;
        out.digest = house::new_digest();
        out.letter.emplace();
        out.letter->id = house::new_id();
        out.letter->what = db::outbox::kind::invite;
        out.event = event_in(workspace, "invite.create");
        return out;
    }

    std::vector<outcome> invite(const std::vector<db::invites::draft>& drafts, std::optional<db::uuid> by,
                                std::chrono::seconds lives = std::chrono::hours(1))
    {
        return run([&] {
            return db::invites::create(one.db, db::batch(), workspace, db::invites::sender{by, {}},
                                       house::in(lives), drafts);
        });
    }

    /// @return its draft
    db::invites::draft invited(const std::string& email, db::role role = db::role::member,
                               std::optional<db::uuid> by = {})
    {
        auto draft = draft_for(email, role);
        BOOST_REQUIRE((invite({draft}, by ? by : ada) == std::vector{outcome::created}));
        return draft;
    }

    std::optional<db::invites::preview> look_at(const db::digest& digest)
    {
        return run([&] { return db::invites::find_by_digest(one.db, digest); });
    }

    void accept(const db::digest& digest, const db::uuid& who)
    {
        commit([&](db::batch& work) { db::invites::add_accept(work, digest, who); });
    }

    bool resend(const db::uuid& id, const db::digest& digest, const db::uuid& within)
    {
        auto letter = *draft_for("x").letter;
        return run([&] {
            return db::invites::resend(one.db, db::batch(), within, id, db::invites::sender{ada, {}}, digest,
                                       house::in(std::chrono::hours(1)), letter,
                                       event_in(within, "invite.resend"));
        });
    }

    bool cancel(const db::uuid& id, const db::uuid& within)
    {
        return run([&] {
            return db::invites::cancel(one.db, db::batch(), within, id, event_in(within, "invite.cancel"));
        });
    }

    /// The addresses that are still invited, sorted.
    std::string open()
    {
        return data.sql(
            "SELECT coalesce(string_agg(email, ' ' ORDER BY email), '') FROM invites WHERE accepted_at IS "
            "NULL AND cancelled_at IS NULL");
    }
};

bool is_spent(const db::failure& error)
{
    return db::one_time_tokens::was_spent(error);
}

} // namespace

BOOST_FIXTURE_TEST_CASE(each_draft_of_a_batch_has_its_outcome_in_its_place, inviting)
{
    std::vector drafts{draft_for("z@example.net"), draft_for("bob@example.org"), draft_for("a@example.net"),
                       draft_for("z@example.net", db::role::admin), draft_for("a@example.net")};
    auto outcomes = invite(drafts, ada);
    auto expected = {outcome::created, outcome::already_member, outcome::created, outcome::already_invited,
                     outcome::already_invited};
    BOOST_TEST((outcomes == std::vector(expected)));
    BOOST_TEST(open() == "a@example.net z@example.net");
    BOOST_TEST(data.sql("SELECT role FROM invites WHERE email LIKE 'z@%'") ==
               "member"); // the first of an address
    // A letter and an event for each that was made, and for no other.
    BOOST_TEST(data.sql("SELECT string_agg(recipient, ' ' ORDER BY recipient) FROM outbox") ==
               "a@example.net z@example.net");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit") == "2");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE target = '" + to_string(drafts[2].id) + "'") ==
               "1");
    BOOST_TEST((invite({draft_for("z@example.net")}, ada) == std::vector{outcome::already_invited}));
}

BOOST_FIXTURE_TEST_CASE(an_expired_one_gives_way_and_a_living_one_does_not, inviting)
{
    auto old = draft_for("z@example.net", db::role::admin), living = draft_for("a@example.net");
    invite({old}, ada, std::chrono::seconds(-1));
    invite({living}, ada);
    auto outcomes = invite({draft_for("z@example.net"), draft_for("a@example.net")}, bob);
    auto expected = {outcome::created, outcome::already_invited};
    BOOST_TEST((outcomes == std::vector(expected)));
    BOOST_TEST((look_at(old.digest).value().status == db::invites::status::cancelled));
    BOOST_TEST((look_at(living.digest).value().status == db::invites::status::pending));
}

BOOST_FIXTURE_TEST_CASE(a_token_tells_of_its_invite_whatever_has_become_of_it, inviting)
{
    BOOST_TEST(!look_at(house::new_digest()));
    auto first = invited("z@example.net", db::role::manager);
    auto shown = look_at(first.digest).value();
    BOOST_TEST(shown.workspace == "Engines");
    BOOST_TEST((shown.role == db::role::manager));
    BOOST_TEST(shown.invited_by.value() == "ada@example.org");
    BOOST_TEST(!shown.is_replaced);
    BOOST_TEST(!shown.has_account);
    auto second = house::new_digest(), third = house::new_digest();
    BOOST_TEST(resend(first.id, second, workspace));
    BOOST_TEST(resend(first.id, third, workspace));
    for (auto& older : {first.digest, second})
        BOOST_TEST(look_at(older).value().is_replaced);
    BOOST_TEST(!look_at(third).value().is_replaced);
    auto zoe = add_user("z@example.net");
    BOOST_CHECK_EXCEPTION(accept(second, zoe), db::failure, is_spent);
    accept(third, zoe);
    for (auto& each : {first.digest, second, third})
        BOOST_TEST((look_at(each).value().status == db::invites::status::accepted));
    BOOST_TEST(!resend(first.id, house::new_digest(), workspace));
    BOOST_TEST(!cancel(first.id, workspace));
}

BOOST_FIXTURE_TEST_CASE(an_invite_of_another_workspace_is_none, inviting)
{
    auto made = invited("z@example.net");
    auto elsewhere = add_workspace("Second", bob);
    BOOST_TEST(!resend(made.id, house::new_digest(), elsewhere));
    BOOST_TEST(!cancel(made.id, elsewhere));
    BOOST_TEST(!run([&] { return db::invites::find(one.db, elsewhere, made.id); }));
    BOOST_TEST(run([&] { return db::invites::find(one.db, workspace, made.id); }).has_value());
    BOOST_TEST(data.sql("SELECT count(*) FROM outbox") == "1");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE action <> 'invite.create'") == "0");
    BOOST_TEST(cancel(made.id, workspace));
    BOOST_TEST(!cancel(made.id, workspace));
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE action = 'invite.cancel'") == "1");
}

BOOST_FIXTURE_TEST_CASE(only_whom_it_is_for_accepts_it_and_only_once, inviting)
{
    auto made = invited("z@example.net", db::role::admin);
    auto zoe = add_user("z@example.net"), eve = add_user("eve@example.net");
    BOOST_CHECK_EXCEPTION(accept(made.digest, eve), db::failure, is_spent);
    BOOST_CHECK_EXCEPTION(accept(house::new_digest(), zoe), db::failure, is_spent);
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(zoe) + "'");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_spent);
    data.sql("UPDATE users SET disabled_at = NULL; UPDATE invites SET expires_at = now()");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_spent);
    data.sql("UPDATE invites SET expires_at = now() + interval '1 minute'");
    accept(made.digest, zoe);
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, is_spent);
    auto place = run([&] { return db::memberships::find(one.db, workspace, zoe); }).value();
    BOOST_TEST((place.membership.role == db::role::admin));
    BOOST_TEST(!place.membership.is_owner);
}

BOOST_FIXTURE_TEST_CASE(a_member_who_accepts_leaves_the_invite_open, inviting)
{
    auto made = invited("z@example.net", db::role::admin);
    auto zoe = add_user("z@example.net");
    add_member(workspace, zoe, "member");
    BOOST_CHECK_EXCEPTION(accept(made.digest, zoe), db::failure, db::invites::was_member_already);
    BOOST_TEST(open() == "z@example.net");
    BOOST_TEST(data.sql("SELECT role FROM memberships WHERE user_id = '" + to_string(zoe) + "'") == "member");
}

BOOST_FIXTURE_TEST_CASE(with_a_role_end_the_invites_that_it_could_not_make, inviting)
{
    auto make = [this] {
        data.sql("DELETE FROM invites");
        invited("admin@example.net", db::role::admin, bob);
        invited("manager@example.net", db::role::manager, bob);
        invited("member@example.net", db::role::member, bob);
        invited("hers@example.net", db::role::admin, ada);
    };
    auto left_with = [&](const std::string& role) {
        make();
        data.sql("SELECT cancel_invites('" + to_string(bob) + "', '" + to_string(workspace) + "', " + role +
                 ")");
        return open();
    };
    const std::string hers = "hers@example.net", managers = " manager@example.net member@example.net";
    BOOST_TEST(left_with("'admin'") == "admin@example.net " + hers + managers);
    BOOST_TEST(left_with("'manager'") == hers + managers);
    BOOST_TEST(left_with("'member'") == hers);
    BOOST_TEST(left_with("NULL") == hers);
}

BOOST_FIXTURE_TEST_CASE(what_ended_before_and_what_is_elsewhere_stays_as_it_is, inviting)
{
    auto zoe = add_user("z@example.net");
    auto accepted = invited("z@example.net", db::role::member, bob);
    accept(accepted.digest, zoe);
    auto there = add_workspace("Second", bob);
    data.sql("INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by, digest, "
             "expires_at) "
             "VALUES (gen_random_uuid(), '" +
             to_string(there) + "', 'there@example.net', 'there@example.net', 'member', '" + to_string(bob) +
             "', '\\x01', now() + interval '1 day')");
    invited("here@example.net", db::role::member, bob);
    data.sql("SELECT cancel_invites('" + to_string(bob) + "', '" + to_string(workspace) + "', NULL)");
    BOOST_TEST(open() == "there@example.net");
    BOOST_TEST((look_at(accepted.digest).value().status == db::invites::status::accepted));
    commit([&](db::batch& work) { db::invites::add_cancel_all_by(work, bob); });
    BOOST_TEST(open() == "");
    BOOST_TEST((look_at(accepted.digest).value().status == db::invites::status::accepted));
}

BOOST_FIXTURE_TEST_CASE(a_disabled_accounts_invites_end_and_nobody_elses, inviting)
{
    invited("bobs@example.net", db::role::member, bob);
    invited("adas@example.net", db::role::member, ada);
    run([&] {
        return db::users::disable(changes, one.db, "bob@example.org", house::event("user.disable"),
                                  &house::new_id);
    });
    BOOST_TEST(open() == "adas@example.net");
}

BOOST_FIXTURE_TEST_CASE(a_month_after_its_end_nothing_is_left_of_one, inviting)
{
    auto old = invited("old@example.net"), recent = invited("recent@example.net");
    auto accepted = invited("z@example.net"), living = invited("living@example.net");
    accept(accepted.digest, add_user("z@example.net"));
    BOOST_REQUIRE(resend(old.id, house::new_digest(), workspace));
    data.sql("UPDATE invites SET expires_at = now() - interval '31 days' WHERE email IN ('old@example.net', "
             "'z@example.net'); UPDATE invites SET expires_at = now() - interval '29 days' WHERE email LIKE "
             "'recent%'");
    run([&] { return db::purge(one.db); });
    BOOST_TEST(!look_at(old.digest));
    BOOST_TEST(!look_at(accepted.digest));
    BOOST_TEST((look_at(recent.digest).value().status == db::invites::status::expired));
    BOOST_TEST((look_at(living.digest).value().status == db::invites::status::pending));
    BOOST_TEST(data.sql("SELECT count(*) FROM replaced_invite_tokens") == "0");
    BOOST_TEST(data.sql("SELECT count(*) FROM memberships") == "3"); // who came by one stays
}

BOOST_FIXTURE_TEST_CASE(nobody_invites_above_themselves, inviting)
{
    auto may = [this](const std::string& who, const std::string& whom) {
        return data.sql("SELECT may_invite('" + who + "', '" + whom + "')") == "t";
    };
    for (std::string whom : {"admin", "manager", "member"}) {
        BOOST_TEST(may("admin", whom));
        BOOST_TEST(may("manager", whom) == (whom != "admin"));
        BOOST_TEST(!may("member", whom));
    }
}

BOOST_AUTO_TEST_SUITE_END()
