// The judge itself: what it lets pass, and what it does not.
#include "tests/consistency/history.hpp"

#include <boost/test/unit_test.hpp>

using namespace history;
using namespace std::chrono_literals;
using kind = violation::kind_type;

namespace {

/// A claim granted at 10 ms, whose revocation began at 20 ms and returned at 30 ms.
struct case_at_hand {
    static time_point at(std::chrono::milliseconds when) { return time_point(when); }

    std::vector<violation> judge_one(verdict what, std::chrono::milliseconds begin,
                                     std::chrono::milliseconds end)
    {
        return judge(claims, {{0, 0, at(begin), at(end), what, ""}});
    }

    std::vector<claim> claims{{"a key", at(10ms), at(20ms), at(30ms)}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(checker)

BOOST_FIXTURE_TEST_CASE(a_success_that_began_after_the_revocation_returned_is_late, case_at_hand)
{
    auto found = judge_one(verdict::accepted, 31ms, 32ms);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST((found[0].kind == kind::late));
    BOOST_TEST(judge_one(verdict::accepted, 29ms, 40ms).empty()); // it began before
    BOOST_TEST(judge_one(verdict::refused, 31ms, 32ms).empty());
    BOOST_TEST(judge_one(verdict::unknown, 31ms, 32ms).empty());
    claims[0].revoked.reset(); // nobody was told that it is over
    BOOST_TEST(judge_one(verdict::accepted, 31ms, 32ms).empty());
}

BOOST_FIXTURE_TEST_CASE(a_refusal_while_nobody_revokes_is_unjust, case_at_hand)
{
    auto found = judge_one(verdict::refused, 11ms, 19ms);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST((found[0].kind == kind::unjust));
    BOOST_TEST(judge_one(verdict::refused, 9ms, 19ms).empty());  // it may have been quicker than the grant
    BOOST_TEST(judge_one(verdict::refused, 11ms, 21ms).empty()); // the revocation may have been quicker
    BOOST_TEST(judge_one(verdict::unknown, 11ms, 19ms).empty());
    BOOST_TEST(judge_one(verdict::accepted, 11ms, 19ms).empty());
    claims[0].revoking.reset();
    BOOST_TEST(judge_one(verdict::refused, 31ms, 32ms).size() == 1u);
}

BOOST_AUTO_TEST_CASE(silence_is_told_by_node_and_by_what_was_decided)
{
    auto at = [](std::chrono::milliseconds when) { return time_point(when); };
    std::vector<check> checks{{0, 0, at(10ms), at(20ms), verdict::accepted, ""},
                              {0, 0, at(30ms), at(50ms), verdict::refused, ""},
                              {0, 0, at(60ms), at(70ms), verdict::unknown, ""},
                              {0, 1, at(80ms), at(90ms), verdict::accepted, ""}};
    BOOST_TEST((longest_silence(checks, 0, at(0ms), at(100ms)) == 50ms));
    BOOST_TEST((longest_silence(checks, 1, at(0ms), at(100ms)) == 90ms));
    BOOST_TEST((longest_silence(checks, 0, at(0ms), at(55ms)) == 30ms));
    BOOST_TEST((longest_silence({}, 0, at(0ms), at(40ms)) == 40ms));
}

BOOST_AUTO_TEST_SUITE_END()
