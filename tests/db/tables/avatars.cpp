// The avatars table: storage, versions and visibility of images.
#include "db/tables/avatars.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(avatars)

namespace {

struct avatar_fixture : db::test::database_fixture {
    using bytes = std::vector<std::uint8_t>;

    void put(const db::uuid& user, bytes image, const std::string& type = "image/png")
    {
        run([&] { return db::avatars::replace(one.db, user, type, image); });
    }

    void remove(const db::uuid& user)
    {
        run([&] { return db::avatars::remove(one.db, user); });
    }

    std::optional<db::avatars::row> find(const db::uuid& user, std::optional<db::uuid> viewer,
                                         std::optional<db::uuid> in_workspace = {},
                                         db::avatars::content wanted = db::avatars::content::bytes)
    {
        return run([&] { return db::avatars::find(one.db, user, viewer, in_workspace, wanted); });
    }

    std::optional<std::int32_t> version_of(const db::uuid& user)
    {
        return run([&] { return db::users::find(one.db, user); }).value().avatar_version;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(an_image_is_returned_unchanged, avatar_fixture)
{
    BOOST_TEST(!find(ada, ada));
    bytes all(256);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<std::uint8_t>(i);
    put(ada, all, "image/webp");
    auto found = find(ada, ada);
    BOOST_REQUIRE(found);
    BOOST_TEST(found->version == 1);
    BOOST_TEST(found->content_type == "image/webp");
    BOOST_TEST((found->bytes == all));
    BOOST_TEST(version_of(ada).value() == 1);
    BOOST_TEST(!version_of(bob));
}

BOOST_FIXTURE_TEST_CASE(a_large_image_is_returned_unchanged, avatar_fixture)
{
    bytes large(2u << 20, 7);
    large.back() = 8;
    put(ada, large);
    BOOST_TEST((find(ada, ada).value().bytes == large));
}

BOOST_FIXTURE_TEST_CASE(no_version_is_reused, avatar_fixture)
{
    put(ada, {1});
    put(ada, {2}, "image/jpeg");
    auto found = find(ada, ada).value();
    BOOST_TEST(found.version == 2);
    BOOST_TEST(found.content_type == "image/jpeg");
    BOOST_TEST((found.bytes == bytes{2}));

    remove(ada);
    BOOST_TEST(!find(ada, ada));
    BOOST_TEST(!version_of(ada));
    remove(ada);
    put(ada, {3});
    BOOST_TEST(find(ada, ada).value().version == 3);
    BOOST_TEST(version_of(ada).value() == 3);
}

BOOST_FIXTURE_TEST_CASE(removing_a_missing_image_does_nothing, avatar_fixture)
{
    put(bob, {1});
    remove(ada);
    BOOST_TEST(!version_of(ada));
    BOOST_TEST(version_of(bob).value() == 1);
}

BOOST_FIXTURE_TEST_CASE(the_version_can_be_read_without_bytes, avatar_fixture)
{
    put(ada, {1});
    put(ada, {2});
    auto same = find(ada, ada, {}, db::avatars::content::none);
    BOOST_REQUIRE(same);
    BOOST_TEST(same->version == 2);
    BOOST_TEST(same->bytes.empty());
    BOOST_TEST((find(ada, ada).value().bytes == bytes{2}));
}

BOOST_FIXTURE_TEST_CASE(only_users_with_a_common_workspace_see_an_image, avatar_fixture)
{
    auto eve = add_user("eve@example.org");
    auto lovelace = add_workspace("Lovelace", eve);
    put(ada, {1});
    put(eve, {2});
    BOOST_TEST(find(ada, bob).has_value());
    BOOST_TEST(!find(ada, eve));
    BOOST_TEST(!find(eve, ada));
    BOOST_TEST(!find(db::test::new_id(), ada));
    BOOST_TEST(!find(ada, db::test::new_id()));

    add_member(lovelace, bob, "member");
    BOOST_TEST(find(eve, bob).has_value());
    BOOST_TEST(!find(ada, eve)); // shares a workspace with Bob only
    data.sql("DELETE FROM memberships WHERE workspace_id = '" + to_string(lovelace) + "' AND user_id = '" +
             to_string(bob) + "'");
    BOOST_TEST(!find(eve, bob));
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_sees_the_workspaces_members, avatar_fixture)
{
    auto eve = add_user("eve@example.org");
    auto lovelace = add_workspace("Lovelace", eve);
    put(ada, {1});
    BOOST_TEST(find(ada, std::nullopt, workspace).has_value());
    BOOST_TEST(!find(ada, std::nullopt, lovelace));
    BOOST_TEST(!find(ada, std::nullopt, std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(a_user_without_a_workspace_sees_their_own_image_only, avatar_fixture)
{
    auto eve = add_user("eve@example.org"), max = add_user("max@example.org");
    put(eve, {1});
    put(max, {1});
    BOOST_TEST(find(eve, eve).has_value());
    BOOST_TEST(!find(max, eve));
}

BOOST_AUTO_TEST_SUITE_END()
