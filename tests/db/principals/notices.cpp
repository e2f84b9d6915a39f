// The payloads of the protocol's notifications.
#include "db/principals/notices.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(notices)

namespace {

struct notice_fixture {
    static db::uuid some_id() { return boost::uuids::random_generator()(); }

    db::lease_holder::notice_batch read(const std::string& notice) const
    {
        db::lease_holder::notice_batch out;
        db::add_notice(notice, self, out);
        return out;
    }

    db::uuid self = some_id(), other = some_id(), change = some_id(), next = some_id();
};

} // namespace

BOOST_FIXTURE_TEST_CASE(the_end_of_a_change_of_another_node_is_acknowledged, notice_fixture)
{
    auto of_other = read("end " + to_string(change) + " " + to_string(other));
    BOOST_TEST((of_other.changes == std::vector{change}));
    BOOST_TEST((of_other.origins == std::vector{other}));
    BOOST_TEST(of_other.affected.empty());
    BOOST_TEST(read("end " + to_string(change) + " " + to_string(self)).changes.empty());
}

BOOST_FIXTURE_TEST_CASE(a_repeated_end_is_for_the_node_that_it_names, notice_fixture)
{
    auto changes = " " + to_string(other) + " " + to_string(change) + " " + to_string(next);
    auto mine = read("again " + to_string(self) + changes);
    BOOST_TEST((mine.changes == std::vector{change, next}));
    BOOST_TEST((mine.origins == std::vector{other, other}));
    BOOST_TEST(mine.affected.empty());
    auto foreign = read("again " + to_string(other) + changes);
    BOOST_TEST(foreign.changes.empty());
    BOOST_TEST(foreign.affected.empty());
}

BOOST_FIXTURE_TEST_CASE(an_unknown_notice_affects_everything, notice_fixture)
{
    for (std::string text : {"", "again", "again x", "end", "credential", "credential x", "tenant"})
        BOOST_TEST(read(text).affected.everything, text);
    BOOST_TEST(read("tenant " + to_string(change)).affected.everything);
    auto broken = read("again " + to_string(self) + " " + to_string(other) + " x " + to_string(change));
    BOOST_TEST((broken.changes == std::vector{change}));
}

BOOST_AUTO_TEST_SUITE_END()
