// Mail budgets: emails an hour for each recipient, sender and the installation, and what becomes of the
// others.
#include "db/tables/mail_budgets.hpp"

#include "db/tables/outbox.hpp"
#include "db/tables/retention.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>

BOOST_AUTO_TEST_SUITE(mail_budgets)

using db::outbox::kind;
using db::test::new_id;

namespace {

struct budget_fixture : db::test::database_fixture {
    budget_fixture() { data.sql("UPDATE users SET email_verified_at = now()"); }

    void set_limits(std::int32_t recipient, std::int32_t sender, std::int32_t installation)
    {
        db::mail_budgets::limits now;
        now.recipient = recipient;
        now.sender = sender;
        now.installation = installation;
        run([&] { return db::mail_budgets::store(one.db, now); });
    }

    db::outbox::draft draft_of(kind mail_kind, std::optional<db::uuid> sender = {}) const
    {
        db::outbox::draft out;
        out.id = new_id();
        out.kind = mail_kind;
        out.sender_id = sender;
        if (sender)
            out.workspace_id = workspace;
        return out;
    }

    /// Emails that a user sends to an address. @return how many of them are queued
    int send(kind mail_kind, const std::string& recipient, int count = 1, std::optional<db::uuid> sender = {})
    {
        auto before = queued();
        for (int i = 0; i < count; ++i) {
            auto mail = draft_of(mail_kind, sender);
            commit([&](db::batch& work) { db::outbox::add_to_address(work, mail, ada, recipient); });
        }
        return queued() - before;
    }

    int notify(kind mail_kind, const db::uuid& user, int count)
    {
        auto before = queued();
        for (int i = 0; i < count; ++i) {
            auto mail = draft_of(mail_kind);
            commit([&](db::batch& work) { db::outbox::add_to_user(work, mail, user); });
        }
        return queued() - before;
    }

    int queued() { return std::stoi(data.sql("SELECT count(*) FROM outbox")); }

    void pass_an_hour()
    {
        data.sql("UPDATE mail_sent SET at = at - interval '61 minutes'; DELETE FROM mail_hours; "
                 "UPDATE audit SET at = at - interval '61 minutes'");
    }

    /// "kind reason total" of all, sorted.
    std::string drops()
    {
        run([&] { return db::mail_budgets::count_drops(one.db); });
        return data.sql(
            "SELECT string_agg(kind || ' ' || reason || ' ' || total, ', ' ORDER BY kind, reason) "
            "FROM mail_drop_totals");
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_recipient_has_a_budget_for_each_kind, budget_fixture)
{
    set_limits(4, 0, 0);
    BOOST_TEST(send(kind::invite, "zoe@example.net", 6) == 4);
    BOOST_TEST(send(kind::invite_reminder, "zoe@example.net", 2) == 0); // the same budget
    BOOST_TEST(send(kind::reset, "zoe@example.net", 6) == 4);
    BOOST_TEST(send(kind::invite, "yan@example.net", 6) == 4);
    BOOST_TEST(drops() == "invite recipient 4, invite_reminder recipient 2, reset recipient 2");
    pass_an_hour();
    BOOST_TEST(send(kind::invite, "zoe@example.net", 6) == 4);
    BOOST_TEST(drops() == "invite recipient 6, invite_reminder recipient 2, reset recipient 2");
}

BOOST_FIXTURE_TEST_CASE(notices_have_half_of_a_recipients_budget, budget_fixture)
{
    set_limits(20, 0, 0);
    BOOST_TEST(notify(kind::new_sign_in, bob, 15) == 10);
    BOOST_TEST(notify(kind::password_changed, bob, 15) == 10);
    BOOST_TEST(notify(kind::new_sign_in, ada, 15) == 10);
}

BOOST_FIXTURE_TEST_CASE(spellings_of_one_mailbox_share_a_budget, budget_fixture)
{
    set_limits(3, 0, 0);
    BOOST_TEST(send(kind::invite, "zoe.z@example.net") == 1);
    BOOST_TEST(send(kind::invite, "z.o.e.z+1@example.net") == 1);
    BOOST_TEST(send(kind::invite, "ZOEZ+a+b@EXAMPLE.net") == 1);
    BOOST_TEST(send(kind::invite, "zoez@example.net") == 0);
    BOOST_TEST(send(kind::invite, "zoe-z@example.net") == 1);
    BOOST_TEST(send(kind::invite, "zoez@exa.mple.net") == 1);
    // Addresses that no folding must fail on.
    for (std::string odd : {"+@example.net", ".@example.net", "\"a@b\"@example.net", "@", "x"})
        BOOST_TEST(send(kind::invite, odd) == 1, odd);
}

BOOST_FIXTURE_TEST_CASE(other_spellings_do_not_use_up_the_budget_of_a_verified_address, budget_fixture)
{
    set_limits(2, 0, 0);
    for (std::string tag : {"1", "2", "3"})
        send(kind::reset, "ada+" + tag + "@example.org", 3);
    BOOST_TEST(send(kind::reset, "ada@example.org", 5) == 2);
}

BOOST_FIXTURE_TEST_CASE(a_sender_has_a_budget_that_grows_after_a_day, budget_fixture)
{
    set_limits(0, 3, 0);
    auto invite_many = [&](std::optional<db::uuid> sender, int count) {
        static int number = 0;
        int sent = 0;
        for (int i = 0; i < count; ++i)
            sent += send(kind::invite, "person" + std::to_string(++number) + "@example.net", 1, sender);
        return sent;
    };
    BOOST_TEST(invite_many(ada, 5) == 3);
    BOOST_TEST(invite_many(bob, 5) == 3);
    BOOST_TEST(notify(kind::password_changed, ada, 1) == 1); // not sent by a user to others
    data.sql("UPDATE users SET email_verified_at = now() - interval '25 hours' WHERE id = '" +
             to_string(ada) + "'");
    BOOST_TEST(invite_many(ada, 40) == 27);
    BOOST_TEST(drops() == "invite sender 17");
}

BOOST_FIXTURE_TEST_CASE(the_keys_of_a_workspace_share_a_budget, budget_fixture)
{
    set_limits(0, 2, 0);
    auto before = queued();
    for (int i = 0; i < 4; ++i) {
        auto mail = draft_of(kind::invite);
        mail.workspace_id = workspace;
        auto to = "person" + std::to_string(i) + "@example.net";
        commit([&](db::batch& work) { db::outbox::add_to_address(work, mail, ada, to); });
    }
    BOOST_TEST(queued() - before == 2);
}

BOOST_FIXTURE_TEST_CASE(the_installation_has_a_budget_for_each_class, budget_fixture)
{
    set_limits(0, 0, 3);
    BOOST_TEST(send(kind::invite, "zoe@example.net", 2) == 2);
    BOOST_TEST(send(kind::invite, "yan@example.net", 4) == 1);
    BOOST_TEST(send(kind::verify, "yan@example.net", 4) == 3);
    BOOST_TEST(send(kind::reset, "ada@example.org", 4) == 3);
    BOOST_TEST(notify(kind::new_sign_in, bob, 4) == 3);
    BOOST_TEST(drops() == "invite installation 3, new_sign_in installation 1, reset installation 1, "
                          "verify installation 1");
    pass_an_hour();
    BOOST_TEST(send(kind::invite, "zoe@example.net", 4) == 3);
}

BOOST_FIXTURE_TEST_CASE(a_limit_of_0_is_none, budget_fixture)
{
    set_limits(0, 0, 0);
    BOOST_TEST(send(kind::invite, "zoe@example.net", 40, ada) == 40);
    BOOST_TEST(drops() == "");
}

BOOST_FIXTURE_TEST_CASE(drops_are_audited_once_an_hour_for_each_workspace, budget_fixture)
{
    set_limits(1, 0, 0);
    auto events = [&] {
        return data.sql("SELECT string_agg((workspace_id = '" + to_string(workspace) +
                        "')::text || ' ' || (actor_id = '" + to_string(ada) +
                        "')::text || ' ' || (details ->> 'kind') || ' ' || (details ->> 'budget'), ', ') "
                        "FROM audit WHERE action = 'mail.drop'");
    };
    send(kind::invite, "zoe@example.net", 1, ada);
    BOOST_TEST(events() == "");
    send(kind::invite, "zoe@example.net", 5, ada);
    BOOST_TEST(events() == "true true invite recipient");
    notify(kind::new_sign_in, bob, 5); // about no workspace
    BOOST_TEST(events() == "true true invite recipient");
    pass_an_hour();
    send(kind::invite, "zoe@example.net", 5, ada);
    BOOST_TEST(events() == "true true invite recipient, true true invite recipient");
    // Its id is in the order of time, as those of the server are.
    BOOST_TEST(data.sql("SELECT bool_and(substring(id::text FROM 15 FOR 1) = '7' AND "
                        "abs(('x' || replace(left(id::text, 13), '-', ''))::bit(48)::int8 / 1000 - "
                        "extract(epoch FROM now())) < 60) FROM audit WHERE action = 'mail.drop'") == "t");
}

BOOST_FIXTURE_TEST_CASE(no_open_transaction_delays_another, budget_fixture)
{
    set_limits(20, 100, 10000);
    // A transaction that has queued emails of every class, to the same recipient, and does not end.
    auto insert = [](const std::string& mail_kind) {
        return "INSERT INTO outbox (id, kind, recipient) VALUES (gen_random_uuid(), '" + mail_kind +
               "', 'zoe@example.net');";
    };
    support::sql_connection open(data.conninfo());
    open.run("BEGIN; " + insert("invite") + insert("reset") + insert("verify"));
    support::sql_connection other(data.conninfo());
    other.run("SET lock_timeout = '1ms'; SET statement_timeout = '5s'");
    for (std::string mail_kind : {"invite", "reset", "verify"})
        BOOST_CHECK_NO_THROW(other.run(insert(mail_kind)));
    open.run("ROLLBACK");
    BOOST_TEST(queued() == 3);
}

BOOST_FIXTURE_TEST_CASE(a_kind_without_a_rule_is_refused, budget_fixture)
{
    BOOST_CHECK_THROW(data.sql("INSERT INTO outbox (id, kind, recipient) VALUES (gen_random_uuid(), "
                               "'surprise', 'zoe@example.net')"),
                      std::exception);
}

BOOST_AUTO_TEST_SUITE_END()
