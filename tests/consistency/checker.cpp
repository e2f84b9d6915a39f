// The history checker itself: which checks it reports as violations.
#include "tests/consistency/history.hpp"

#include <boost/test/unit_test.hpp>

using namespace consistency;
using namespace std::chrono_literals;
using kind = violation::kind_type;

namespace {

/// A right granted at 10 ms; its revocation began at 20 ms and returned at 30 ms.
struct one_grant {
    static time_point at(std::chrono::milliseconds when) { return time_point(when); }

    std::vector<violation> violations_of(outcome result, std::chrono::milliseconds begin,
                                         std::chrono::milliseconds end)
    {
        return find_violations(grants, {{0, 0, result, 0, at(begin), at(end)}});
    }

    std::vector<grant> grants{{"a key", at(10ms), at(20ms), at(30ms)}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(checker)

BOOST_FIXTURE_TEST_CASE(a_success_that_began_after_the_revocation_returned_is_a_late_success, one_grant)
{
    auto found = violations_of(outcome::accepted, 31ms, 32ms);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST((found[0].kind == kind::late_success));
    BOOST_TEST(violations_of(outcome::accepted, 29ms, 40ms).empty()); // it began before
    BOOST_TEST(violations_of(outcome::rejected, 31ms, 32ms).empty());
    BOOST_TEST(violations_of(outcome::unknown, 31ms, 32ms).empty());
    grants[0].revoked.reset(); // no revocation has returned
    BOOST_TEST(violations_of(outcome::accepted, 31ms, 32ms).empty());
}

BOOST_FIXTURE_TEST_CASE(a_rejection_before_any_revocation_is_a_false_rejection, one_grant)
{
    auto found = violations_of(outcome::rejected, 11ms, 19ms);
    BOOST_REQUIRE(found.size() == 1u);
    BOOST_TEST((found[0].kind == kind::false_rejection));
    BOOST_TEST(violations_of(outcome::rejected, 9ms, 19ms).empty());  // may have overtaken the grant
    BOOST_TEST(violations_of(outcome::rejected, 11ms, 21ms).empty()); // the revocation may have overtaken it
    BOOST_TEST(violations_of(outcome::unknown, 11ms, 19ms).empty());
    BOOST_TEST(violations_of(outcome::accepted, 11ms, 19ms).empty());
    grants[0].revoking.reset();
    BOOST_TEST(violations_of(outcome::rejected, 31ms, 32ms).size() == 1u);
}

BOOST_AUTO_TEST_CASE(longest_outage_counts_decided_checks_of_one_node)
{
    auto at = [](std::chrono::milliseconds when) { return time_point(when); };
    std::vector<check> checks{{0, 0, outcome::accepted, 0, at(10ms), at(20ms)},
                              {0, 0, outcome::rejected, 0, at(30ms), at(50ms)},
                              {0, 0, outcome::unknown, 0, at(60ms), at(70ms)},
                              {0, 1, outcome::accepted, 0, at(80ms), at(90ms)}};
    BOOST_TEST((longest_outage(checks, 0, at(0ms), at(100ms)) == 50ms));
    BOOST_TEST((longest_outage(checks, 1, at(0ms), at(100ms)) == 90ms));
    BOOST_TEST((longest_outage(checks, 0, at(0ms), at(55ms)) == 30ms));
    BOOST_TEST((longest_outage({}, 0, at(0ms), at(40ms)) == 40ms));
}

BOOST_AUTO_TEST_SUITE_END()
