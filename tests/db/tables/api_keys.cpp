// The api_keys table: ownership, listing, edits, revocation and rotation.
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(api_keys)

using db::api_keys::outcome;
using db::api_keys::status;
using db::test::from_now;
using db::test::new_digest;
using db::test::new_id;

namespace {

struct minting : db::test::database_fixture {
    db::api_keys::owner_filter bobs{workspace, bob};
    db::api_keys::owner_filter all{workspace, std::nullopt};

    db::audit::entry event(std::string_view action) const
    {
        auto out = db::test::event(action);
        out.workspace_id = workspace;
        return out;
    }

    std::size_t events() { return events_of(workspace).size(); }

    std::optional<db::api_keys::revoked_key> revoke(db::api_keys::owner_filter filter, std::string prefix)
    {
        return run([&] {
            return db::api_keys::revoke(db::transaction(changes, one.db), filter, prefix,
                                        event("api_key.revoke"));
        });
    }

    db::api_keys::change_result rotate(const db::test::key& key, std::chrono::seconds grace)
    {
        db::api_keys::successor next;
        next.id = new_id();
        next.prefix = to_string(next.id).substr(8);
        next.digest = new_digest();
        next.created_by = bob;
        auto rights = expected_of(key);
        return run([&] {
            return db::api_keys::rotate(db::transaction(changes, one.db), bobs, key.prefix, rights, next,
                                        grace, event("api_key.rotate"));
        });
    }

    /// The rights that a change expects: by default the key's own.
    std::optional<db::api_keys::expected_rights> expected;

    db::api_keys::expected_rights expected_of(const db::test::key& key)
    {
        auto old = run([&] { return db::api_keys::find_by_digest(one.db, key.digest); });
        auto own = old ? db::api_keys::rights_of(*old) : db::api_keys::expected_rights();
        return expected.value_or(own);
    }

    db::api_keys::row find(const db::test::key& key)
    {
        return run([&] { return db::api_keys::find_by_digest(one.db, key.digest); }).value();
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_key_is_accessible_to_its_owner_and_to_the_workspace, minting)
{
    auto key = add_key(bob);
    auto find = [&](db::api_keys::owner_filter filter) {
        return run([&] { return db::api_keys::find_by_prefix(one.db, filter, key.prefix); });
    };
    BOOST_TEST(find(bobs).value().name == "ci");
    BOOST_TEST(find(bobs).value().scopes.at(0) == "content:read");
    BOOST_TEST((find(all).value().id == key.id));
    BOOST_TEST(!find({workspace, ada}));
    BOOST_TEST(!find({add_workspace("Other", bob), bob}));
}

BOOST_FIXTURE_TEST_CASE(only_a_member_can_own_a_key, minting)
{
    auto outsider = add_user("eve@example.org");
    BOOST_CHECK_EXCEPTION(add_key(outsider), db::failure, db::api_keys::owner_left);
}

BOOST_FIXTURE_TEST_CASE(a_workspace_owns_keys_with_a_role_of_their_own, minting)
{
    db::api_keys::draft draft;
    draft.id = new_id();
    draft.prefix = "wskey000";
    draft.digest = new_digest();
    draft.name = "deploy";
    draft.scopes = {"*"};
    draft.workspace_id = workspace;
    draft.role = db::role::manager;
    draft.created_by = ada;
    auto answers =
        commit([&](db::batch& work) { db::api_keys::add_insert(work.in_workspace(workspace), draft); });
    auto made = answers.first().as_one<db::api_keys::row>();
    BOOST_TEST(!made.user_id);
    BOOST_TEST((made.role == db::role::manager));
    BOOST_TEST((made.status == status::active));

    auto caller = run([&] { return one.principals.load_api_key(draft.digest); });
    BOOST_REQUIRE(caller);
    BOOST_TEST((caller->role == db::role::manager));
    BOOST_TEST(!caller->user_id);
}

BOOST_FIXTURE_TEST_CASE(keys_are_listed_by_status_and_paged, minting)
{
    std::vector<db::test::key> made;
    for (int i = 0; i < 5; ++i)
        made.push_back(add_key(bob));
    auto old = add_key(bob, from_now(std::chrono::seconds(-1)));
    add_key(ada);
    revoke(bobs, made[0].prefix);

    auto list = [&](db::api_keys::query wanted) {
        return run([&] { return db::api_keys::list(one.db, wanted); });
    };
    BOOST_TEST(list({bobs, {}, {}, {}, 10}).total.value() == 6);
    BOOST_TEST(list({all, {}, {}, {}, 10}).total.value() == 7);
    BOOST_TEST(list({bobs, status::active, {}, {}, 10}).rows.size() == 4u);
    BOOST_TEST(list({bobs, status::revoked, {}, {}, 10}).rows.size() == 1u);
    auto expired = list({bobs, status::expired, {}, {}, 10}).rows;
    BOOST_REQUIRE(expired.size() == 1u);
    BOOST_TEST((expired[0].id == old.id));

    auto first = list({all, status::active, {}, {}, 2}).rows;
    BOOST_REQUIRE(first.size() == 2u);
    auto second = list({all, status::active, {}, first[1].id, 2}).rows;
    BOOST_REQUIRE(second.size() == 2u);
    BOOST_TEST((second[0].id < first[1].id));
}

BOOST_FIXTURE_TEST_CASE(edits_are_three_state_and_do_not_change_revoked_keys, minting)
{
    auto key = add_key(bob, from_now(std::chrono::hours(1)));
    auto update = [&](db::api_keys::owner_filter filter, db::api_keys::edit edit) {
        auto rights = expected_of(key);
        return run([&] {
            return db::api_keys::update(db::transaction(changes, one.db), filter, key.prefix, rights, edit,
                                        event("x"));
        });
    };
    db::api_keys::edit rename;
    rename.name = "nightly";
    auto changed = update(bobs, rename);
    BOOST_TEST((changed.outcome == outcome::done));
    BOOST_TEST(changed.key.value().name == "nightly");
    BOOST_TEST(changed.key.value().expires_at.has_value());

    db::api_keys::edit without_expiry;
    without_expiry.expires_at.emplace(std::nullopt);
    without_expiry.scopes = {"a:b", "c\"d,:e"};
    changed = update(bobs, without_expiry);
    BOOST_TEST(!changed.key.value().expires_at);
    BOOST_TEST(changed.key.value().scopes == (std::vector<std::string>{"a:b", "c\"d,:e"}),
               boost::test_tools::per_element());
    BOOST_TEST(events() == 2u);

    BOOST_TEST((update({workspace, ada}, rename).outcome == outcome::unknown));
    revoke(bobs, key.prefix);
    BOOST_TEST((update(bobs, rename).outcome == outcome::revoked));
    BOOST_TEST(events() == 3u);
}

BOOST_FIXTURE_TEST_CASE(revoking_twice_records_one_event, minting)
{
    auto key = add_key(bob);
    BOOST_TEST(!revoke({workspace, ada}, key.prefix));
    BOOST_TEST(revoke(bobs, key.prefix).value().revoked_now);
    auto again = revoke(all, key.prefix);
    BOOST_TEST(!again.value().revoked_now);
    BOOST_TEST(events() == 1u);
}

BOOST_FIXTURE_TEST_CASE(possession_of_a_key_suffices_to_report_it, minting)
{
    data.sql("UPDATE users SET email_verified_at = now()"); // notices go to verified addresses alone
    auto key = add_key(bob);
    auto report = [&](db::digest digest) {
        db::outbox::draft mail;
        mail.id = new_id();
        mail.kind = db::outbox::kind::key_reported;
        return run([&] {
            return db::api_keys::revoke_by_digest(db::transaction(changes, one.db), digest,
                                                  db::test::event("report"), mail);
        });
    };
    BOOST_TEST(!report(new_digest()));
    BOOST_TEST((report(key.digest).value().user_id == bob));
    BOOST_TEST(!report(key.digest).value().revoked_now);
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].target.value() == key.prefix);
    BOOST_TEST(data.sql("SELECT string_agg(recipient || ' ' || (variables ->> 'name'), ',') FROM outbox") ==
               "bob@example.org ci");
}

BOOST_FIXTURE_TEST_CASE(a_successor_has_the_same_rights_and_the_old_key_a_grace_period, minting)
{
    auto expiry = from_now(std::chrono::hours(5));
    auto key = add_key(bob, expiry);
    auto done = rotate(key, std::chrono::hours(1));
    BOOST_TEST((done.outcome == outcome::done));
    BOOST_TEST((done.key.value().rotated_from == key.id));
    BOOST_TEST((done.key.value().expires_at == expiry));
    BOOST_TEST(done.key.value().scopes.at(0) == "content:read");
    BOOST_TEST((done.key.value().user_id == bob));
    BOOST_TEST((find(key).status == status::active));
    BOOST_TEST((find(key).expires_at.value() <= from_now(std::chrono::hours(1))));

    auto short_lived = add_key(bob, from_now(std::chrono::minutes(1)));
    rotate(short_lived, std::chrono::hours(1));
    BOOST_TEST((find(short_lived).expires_at.value() <= from_now(std::chrono::minutes(1))));
}

BOOST_FIXTURE_TEST_CASE(without_a_grace_period_the_old_key_is_revoked, minting)
{
    auto key = add_key(bob);
    BOOST_TEST((rotate(key, std::chrono::seconds(0)).outcome == outcome::done));
    BOOST_TEST((find(key).status == status::revoked));
    BOOST_TEST((rotate(key, std::chrono::seconds(0)).outcome == outcome::rotated));
    auto revoked = add_key(bob);
    revoke(bobs, revoked.prefix);
    BOOST_TEST((rotate(revoked, std::chrono::seconds(0)).outcome == outcome::revoked));
    auto old = add_key(bob, from_now(std::chrono::seconds(-1)));
    BOOST_TEST((rotate(old, std::chrono::seconds(0)).outcome == outcome::expired));
    db::test::key none{new_id(), "no such", new_digest()};
    BOOST_TEST((rotate(none, std::chrono::seconds(0)).outcome == outcome::unknown));
    BOOST_TEST(events() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_key_changed_concurrently_is_not_rotated, minting)
{
    auto key = add_key(bob);
    auto own = expected_of(key);
    auto differing = std::vector(3, own);
    differing[0].scopes = {"content:read", "something:else"};
    differing[1].expires_at = from_now(std::chrono::hours(1));
    differing[2].role = db::role::admin;
    for (auto& rights : differing) {
        expected = rights;
        BOOST_TEST((rotate(key, std::chrono::seconds(0)).outcome == outcome::outdated));
        db::api_keys::edit edit;
        edit.name = "renamed";
        edit.scopes = {"*"};
        auto changed = run([&] {
            return db::api_keys::update(db::transaction(changes, one.db), bobs, key.prefix, rights, edit,
                                        event("x"));
        });
        BOOST_TEST((changed.outcome == outcome::outdated));
        BOOST_TEST(changed.key.value().scopes.at(0) == "content:read");
    }
    BOOST_TEST((find(key).status == status::active));
    BOOST_TEST(events() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_key_is_rotated_once_and_not_changed_afterwards, minting)
{
    auto key = add_key(bob, from_now(std::chrono::minutes(1))); // expires before its grace period ends
    auto next = rotate(key, std::chrono::hours(1)).key.value();
    auto again = rotate(key, std::chrono::hours(1));
    BOOST_TEST((again.outcome == outcome::rotated));
    auto named = run([&] { return db::api_keys::find_successor(one.db, again.key.value()); });
    BOOST_TEST(named.value() == next.prefix);
    BOOST_TEST(!run([&] { return db::api_keys::find_successor(one.db, next); }));
    db::api_keys::edit longer;
    longer.expires_at.emplace(std::nullopt);
    auto rights = expected_of(key);
    auto changed = run([&] {
        return db::api_keys::update(db::transaction(changes, one.db), bobs, key.prefix, rights, longer,
                                    event("x"));
    });
    BOOST_TEST((changed.outcome == outcome::rotated));
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE rotated_from IS NOT NULL") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_key_of_an_earlier_membership_cannot_be_rotated, minting)
{
    auto key = add_key(bob);
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    add_member(workspace, bob, "member");
    BOOST_TEST((rotate(key, std::chrono::seconds(0)).outcome == outcome::outdated));
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys") == "1");
}

BOOST_FIXTURE_TEST_CASE(the_keys_of_a_removed_member_are_revoked, minting)
{
    auto key = add_key(bob), adas = add_key(ada);
    BOOST_TEST(run([&] { return db::api_keys::list_live(one.db, bob); }).size() == 1u);
    commit([&](db::batch& work) {
        db::api_keys::add_revoke_all_of_member(work.in_workspace(workspace), workspace, bob);
    });
    BOOST_TEST(run([&] { return db::api_keys::list_live(one.db, bob); }).empty());
    BOOST_TEST((find(key).status == status::revoked));
    BOOST_TEST((find(adas).status == status::active));
}

BOOST_AUTO_TEST_SUITE_END()
