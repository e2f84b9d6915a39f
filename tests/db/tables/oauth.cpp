// OAuth codes, grants and the queue of token revocations.
#include "db/tables/oauth.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(oauth)

using db::oauth::removal;
using db::test::new_digest;
using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::uint8_t>;

struct oauth_fixture : db::test::database_fixture {
    void upsert(const db::uuid& user, std::string_view subject, bytes tokens = {1},
                bool replaces_tokens = false, std::string_view email = "",
                std::string_view issuer = "https://one.example")
    {
        db::oauth::draft grant;
        grant.provider = "google";
        grant.issuer = issuer;
        grant.subject = subject;
        grant.user_id = user;
        auto own = data.sql("SELECT email_normalized FROM users WHERE id = '" + to_string(user) + "'");
        if (email.empty())
            grant.email = own;
        else if (email != "none")
            grant.email = email;
        grant.sealed_tokens = tokens;
        grant.replaces_tokens = replaces_tokens;
        commit([&](db::batch& work) { db::oauth::add_upsert(work, grant); });
    }

    std::vector<db::oauth::row> list(const db::uuid& user)
    {
        return run([&] { return db::oauth::list(one.db, user); });
    }

    std::optional<db::users::account> find(const std::string& subject,
                                           const std::string& at = "https://one.example")
    {
        return run([&] { return db::oauth::find_account(one.db, at, subject); });
    }

    removal remove(const db::uuid& user, const std::string& at = "google")
    {
        auto event = db::test::event("grant.remove");
        event.actor_id = user;
        return run([&] { return db::oauth::remove(one.db, user, at, event); });
    }

    std::vector<db::oauth::revocation> claim_revocations(std::chrono::seconds wait = 1min, int limit = 10)
    {
        return run([&] { return db::oauth::claim_revocations(one.db, wait, limit); });
    }

    std::optional<bytes> consume_code(const db::digest& code)
    {
        return run([&] { return db::oauth::consume_code(one.db, code); });
    }

    db::digest insert_code(bytes sealed, std::chrono::seconds ttl)
    {
        auto code = new_digest();
        run([&] { return db::oauth::insert_code(one.db, code, sealed, ttl); });
        return code;
    }

    std::string stored_tokens() { return data.sql("SELECT encode(sealed_tokens, 'hex') FROM oauth_grants"); }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_code_is_consumed_once, oauth_fixture)
{
    auto code = insert_code({1, 0, 2}, 60s), other = insert_code({3}, 60s);
    BOOST_TEST(!consume_code(new_digest()));
    BOOST_TEST((consume_code(code).value() == bytes{1, 0, 2}));
    BOOST_TEST(!consume_code(code));
    BOOST_TEST((consume_code(other).value() == bytes{3}));
}

BOOST_FIXTURE_TEST_CASE(an_expired_code_is_invalid, oauth_fixture)
{
    auto code = insert_code({1}, -1s);
    BOOST_TEST(!consume_code(code));
    BOOST_TEST(data.sql("SELECT count(*) FROM oauth_codes") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_grant_finds_its_user_and_login_workspace, oauth_fixture)
{
    BOOST_TEST(!find("s1"));
    upsert(ada, "s1");
    auto account = find("s1");
    BOOST_REQUIRE(account);
    BOOST_TEST((account->user.id == ada));
    BOOST_TEST(account->user.password_hash.value() == "hash");
    BOOST_TEST((account->login_workspace.value().workspace.id == workspace));
    BOOST_TEST(account->login_workspace->membership.is_owner);
    BOOST_TEST(!find("s1", "https://two.example"));
    BOOST_TEST(!find("s2"));

    auto second = add_workspace("Second", ada);
    commit([&](db::batch& work) { db::users::add_set_last_workspace(work, ada, second); });
    BOOST_TEST((find("s1").value().login_workspace.value().workspace.id == second));
    data.sql("DELETE FROM memberships");
    BOOST_TEST(!find("s1").value().login_workspace);
}

BOOST_FIXTURE_TEST_CASE(grants_are_listed_by_user, oauth_fixture)
{
    upsert(ada, "s1");
    auto listed = list(ada);
    BOOST_REQUIRE(listed.size() == 1u);
    BOOST_TEST(listed[0].provider == "google");
    BOOST_TEST(listed[0].issuer == "https://one.example");
    BOOST_TEST(listed[0].subject == "s1");
    BOOST_TEST(listed[0].email == "ada@example.org");
    BOOST_TEST((listed[0].created_at == listed[0].last_used_at));
    BOOST_TEST(list(bob).empty());
}

BOOST_FIXTURE_TEST_CASE(another_sign_in_updates_the_grant_and_keeps_the_longer_lived_tokens, oauth_fixture)
{
    upsert(ada, "s1", {1});
    data.sql("UPDATE oauth_grants SET created_at = now() - interval '1 day', last_used_at = now() - interval "
             "'1 day'");
    upsert(ada, "s1", {2}, false, "new@gmail.example");
    BOOST_TEST(stored_tokens() == "01");
    auto listed = list(ada);
    BOOST_REQUIRE(listed.size() == 1u);
    BOOST_TEST(listed[0].email == "new@gmail.example");
    BOOST_TEST((listed[0].last_used_at > listed[0].created_at + 23h));
    upsert(ada, "s1", {3}, true);
    BOOST_TEST(stored_tokens() == "03");
    BOOST_TEST(claim_revocations().empty());
}

BOOST_FIXTURE_TEST_CASE(an_account_is_linked_to_one_user, oauth_fixture)
{
    upsert(ada, "s1", {1});
    BOOST_CHECK_EXCEPTION(upsert(bob, "s1", {2}, true, "bob@example.org"), db::failure,
                          db::oauth::was_linked_elsewhere);
    BOOST_CHECK_EXCEPTION(upsert(ada, "s2", {2}, true), db::failure, db::oauth::was_linked_elsewhere);
    BOOST_TEST((find("s1").value().user.id == ada));
    BOOST_TEST(list(ada).at(0).email == "ada@example.org");
    BOOST_TEST(stored_tokens() == "01");
    BOOST_TEST(!find("s2"));
    BOOST_TEST(list(bob).empty());
}

BOOST_FIXTURE_TEST_CASE(subjects_are_those_of_one_issuer, oauth_fixture)
{
    upsert(ada, "s1", {1});
    upsert(bob, "s1", {2}, false, "", "https://two.example");
    BOOST_TEST((find("s1").value().user.id == ada));
    BOOST_TEST((find("s1", "https://two.example").value().user.id == bob));
    upsert(ada, "s2", {3}, false, "", "https://two.example"); // a user has one identity at each issuer
    BOOST_CHECK_EXCEPTION(upsert(ada, "s3", {4}, false, "", "https://two.example"), db::failure,
                          db::oauth::was_linked_elsewhere);
    BOOST_TEST(list(ada).size() == 2u);
    BOOST_TEST((remove(ada) == removal::done)); // the links to all issuers
    BOOST_TEST(list(ada).empty());
    BOOST_TEST(data.sql("SELECT string_agg(issuer, ' ' ORDER BY issuer) FROM oauth_revocations") ==
               "https://one.example https://two.example");
    BOOST_TEST(data.sql("SELECT count(*) FROM audit") == "1");
    BOOST_TEST((find("s1", "https://two.example").value().user.id == bob));
}

BOOST_FIXTURE_TEST_CASE(an_identity_without_a_verified_address_only_signs_in_where_it_is_linked,
                        oauth_fixture)
{
    BOOST_CHECK_EXCEPTION(upsert(ada, "s1", {1}, false, "none"), db::failure, db::oauth::was_outdated);
    upsert(ada, "s1");
    upsert(ada, "s1", {1}, false, "none");
    BOOST_TEST(list(ada).at(0).email == "ada@example.org");
    BOOST_CHECK_EXCEPTION(upsert(ada, "s2", {1}, false, "none"), db::failure, db::oauth::was_outdated);
}

BOOST_FIXTURE_TEST_CASE(a_state_is_spent_once, oauth_fixture)
{
    auto state = new_digest();
    auto spend = [&] { return run([&] { return db::oauth::spend_state(one.db, state, 60s); }); };
    BOOST_TEST(spend());
    BOOST_TEST(!spend());
    state = new_digest();
    BOOST_TEST(spend());
    BOOST_TEST(data.sql("SELECT count(*) FROM oauth_spent_states WHERE expires_at > now() + "
                        "interval '50 seconds'") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_changed_or_disabled_account_is_not_linked, oauth_fixture)
{
    BOOST_CHECK_EXCEPTION(upsert(ada, "s1", {1}, false, "new@example.org"), db::failure,
                          db::oauth::was_outdated);
    data.sql("UPDATE users SET disabled_at = now()");
    BOOST_CHECK_EXCEPTION(upsert(ada, "s1"), db::failure, db::oauth::was_outdated);
    BOOST_TEST(!find("s1"));
}

BOOST_FIXTURE_TEST_CASE(other_failures_are_not_link_conflicts, oauth_fixture)
{
    auto is_other = [](const db::failure& e) { return !db::oauth::was_linked_elsewhere(e); };
    BOOST_CHECK_EXCEPTION(upsert(db::test::new_id(), "s1"), db::failure, is_other);
}

BOOST_FIXTURE_TEST_CASE(removing_a_grant_queues_a_revocation_and_an_event, oauth_fixture)
{
    upsert(ada, "s1", {7, 7});
    upsert(bob, "s2");
    BOOST_TEST((remove(ada, "elsewhere") == removal::unknown));
    BOOST_TEST((remove(ada) == removal::done));
    BOOST_TEST((remove(ada) == removal::unknown));
    BOOST_TEST(!find("s1"));
    BOOST_TEST(find("s2").has_value());
    BOOST_TEST(data.sql("SELECT string_agg(action || ' ' || actor_id, ',') FROM audit") ==
               "grant.remove " + to_string(ada));
    auto due = claim_revocations();
    BOOST_REQUIRE(due.size() == 1u);
    BOOST_TEST(due[0].provider == "google");
    BOOST_TEST(due[0].issuer == "https://one.example");
    BOOST_TEST((due[0].sealed_tokens == bytes{7, 7}));
    upsert(bob, "s2"); // and the subject can be linked again
    upsert(ada, "s1");
}

BOOST_FIXTURE_TEST_CASE(the_last_sign_in_method_cannot_be_removed, oauth_fixture)
{
    upsert(ada, "s1");
    data.sql("UPDATE users SET password_hash = NULL");
    BOOST_TEST((remove(ada) == removal::last_sign_in_method));
    BOOST_TEST((remove(bob) == removal::unknown));
    BOOST_TEST(find("s1").has_value());
    BOOST_TEST(data.sql("SELECT count(*) FROM audit") == "0");
    BOOST_TEST(claim_revocations().empty());
}

BOOST_FIXTURE_TEST_CASE(deleting_a_user_queues_the_revocation_of_their_tokens, oauth_fixture)
{
    upsert(bob, "s2", {9});
    data.sql("DELETE FROM users WHERE id = '" + to_string(bob) + "'");
    auto due = claim_revocations();
    BOOST_REQUIRE(due.size() == 1u);
    BOOST_TEST((due[0].sealed_tokens == bytes{9}));
}

BOOST_FIXTURE_TEST_CASE(a_revocation_is_retried_until_it_is_deleted, oauth_fixture)
{
    auto add = [&](const std::string& due) {
        data.sql(
            "INSERT INTO oauth_revocations (id, provider, issuer, sealed_tokens, next_attempt_at) VALUES "
            "(gen_random_uuid(), 'google', 'https://one.example', '" +
            due + "', now() + interval '" + due + "')");
    };
    add("-3s");
    add("-2s");
    add("-1s");
    add("1h");
    auto first = claim_revocations(1h, 2);
    BOOST_TEST(first.size() == 2u);
    auto rest = claim_revocations(1h, 2);
    BOOST_REQUIRE(rest.size() == 1u);
    BOOST_TEST((rest[0].sealed_tokens == bytes{'-', '1', 's'}));
    BOOST_TEST(claim_revocations().empty());

    run([&] { return db::oauth::delete_revocation(one.db, first.at(0).id); });
    data.sql("UPDATE oauth_revocations SET next_attempt_at = now()");
    auto again = claim_revocations();
    BOOST_TEST(again.size() == 3u);
    for (auto& one_of : again)
        BOOST_TEST((one_of.id != first[0].id));
}

BOOST_AUTO_TEST_SUITE_END()
