#include "db/principals/scope_list.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using names = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(scope_list)

BOOST_AUTO_TEST_CASE(a_list_returns_its_names)
{
    BOOST_TEST(db::scope_list().empty());
    BOOST_TEST(db::scope_list().names() == names());
    db::scope_list some(names{"content:read", "team:read"});
    BOOST_TEST(some.names() == (names{"content:read", "team:read"}));
    auto copy = some;
    BOOST_TEST(&copy.names() == &some.names());
    BOOST_TEST(names(some.begin(), some.end()) == some.names());
    BOOST_TEST(some.text() == "content:read team:read");
    BOOST_TEST(db::scope_list().text().empty());
}

BOOST_AUTO_TEST_CASE(equal_lists_share_memory)
{
    db::scope_lists lists;
    auto one = lists.share({"a:b", "c:d"}), same = lists.share({"a:b", "c:d"}),
         other = lists.share({"c:d", "a:b"});
    BOOST_TEST(&one.names() == &same.names());
    BOOST_TEST(&one.names() != &other.names());
    BOOST_TEST(other.names() == (names{"c:d", "a:b"}));
    BOOST_TEST(lists.size() == 2u);
}

BOOST_AUTO_TEST_CASE(unused_lists_are_removed)
{
    db::scope_lists lists;
    auto kept = lists.share({"kept:all"});
    for (int i = 0; i < 10'000; ++i)
        lists.share({"scope:" + std::to_string(i)});
    BOOST_TEST(lists.size() <= 64u);
    BOOST_TEST(&lists.share({"kept:all"}).names() == &kept.names());

    std::vector<db::scope_list> used;
    for (int i = 0; i < 1000; ++i)
        used.push_back(lists.share({"scope:" + std::to_string(i)}));
    BOOST_TEST(lists.size() >= 1000u);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(used[static_cast<std::size_t>(i)].names() == names{"scope:" + std::to_string(i)});
}

BOOST_AUTO_TEST_SUITE_END()
