// Pictures: whose, and who may see them.
#include "db/tables/avatars.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(avatars)

namespace {

struct gallery : house::fixture {
    using bytes = std::vector<std::uint8_t>;

    void put(const db::uuid& whose, bytes picture, const std::string& type = "image/png")
    {
        run([&] { return db::avatars::replace(one.db, whose, type, picture); });
    }

    void remove(const db::uuid& whose)
    {
        run([&] { return db::avatars::remove(one.db, whose); });
    }

    std::optional<db::avatars::row> find(const db::uuid& whose, std::optional<db::uuid> viewer,
                                         std::optional<db::uuid> place = {}, std::int32_t known = 0)
    {
        return run([&] { return db::avatars::find(one.db, whose, viewer, place, known); });
    }

    std::optional<std::int32_t> version_of(const db::uuid& whose)
    {
        return run([&] { return db::users::find(one.db, whose); }).value().avatar_version;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_picture_comes_back_as_it_was_put, gallery)
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

BOOST_FIXTURE_TEST_CASE(a_large_picture_is_kept_whole, gallery)
{
    bytes large(2u << 20, 7);
    large.back() = 8;
    put(ada, large);
    BOOST_TEST((find(ada, ada).value().bytes == large));
}

BOOST_FIXTURE_TEST_CASE(no_version_is_ever_used_twice, gallery)
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

BOOST_FIXTURE_TEST_CASE(to_take_down_none_does_nothing, gallery)
{
    put(bob, {1});
    remove(ada);
    BOOST_TEST(!version_of(ada));
    BOOST_TEST(version_of(bob).value() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_reader_who_has_this_version_gets_no_bytes, gallery)
{
    put(ada, {1});
    put(ada, {2});
    auto same = find(ada, ada, {}, 2);
    BOOST_REQUIRE(same);
    BOOST_TEST(same->version == 2);
    BOOST_TEST(same->bytes.empty());
    BOOST_TEST((find(ada, ada, {}, 1).value().bytes == bytes{2}));
}

BOOST_FIXTURE_TEST_CASE(colleagues_of_any_common_workspace_see_it_and_nobody_else, gallery)
{
    auto eve = add_user("eve@example.org");
    auto hers = add_workspace("Lovelace", eve);
    put(ada, {1});
    put(eve, {2});
    BOOST_TEST(find(ada, bob).has_value());
    BOOST_TEST(!find(ada, eve));
    BOOST_TEST(!find(eve, ada));
    BOOST_TEST(!find(house::new_id(), ada));
    BOOST_TEST(!find(ada, house::new_id()));

    add_member(hers, bob, "member");
    BOOST_TEST(find(eve, bob).has_value());
    BOOST_TEST(!find(ada, eve)); // a colleague's colleague
    data.sql("DELETE FROM memberships WHERE workspace_id = '" + to_string(hers) + "' AND user_id = '" +
             to_string(bob) + "'");
    BOOST_TEST(!find(eve, bob));
}

BOOST_FIXTURE_TEST_CASE(a_key_of_a_workspace_sees_its_members, gallery)
{
    auto eve = add_user("eve@example.org");
    auto hers = add_workspace("Lovelace", eve);
    put(ada, {1});
    BOOST_TEST(find(ada, std::nullopt, workspace).has_value());
    BOOST_TEST(!find(ada, std::nullopt, hers));
    BOOST_TEST(!find(ada, std::nullopt, std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(one_without_a_workspace_sees_oneself, gallery)
{
    auto eve = add_user("eve@example.org"), max = add_user("max@example.org");
    put(eve, {1});
    put(max, {1});
    BOOST_TEST(find(eve, eve).has_value());
    BOOST_TEST(!find(max, eve));
}

BOOST_AUTO_TEST_SUITE_END()
