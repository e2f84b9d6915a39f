// History test: several nodes under load, with revocations and faults. No success may begin after its
// revocation returned.
#include "tests/consistency/history_run.hpp"

#include <boost/test/unit_test.hpp>

using namespace consistency;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(revocations)

BOOST_AUTO_TEST_CASE(no_success_begins_after_its_revocation_has_returned)
{
    run_plan plan;
    plan.first = {{"node without notices", 1, [](nodes& all, std::mt19937_64&) -> std::string {
                       all.mute_one_for(3500ms); // longer than a lease, in every history
                       return "a node received nothing for 3500 ms";
                   }}};
    plan.later = node_faults();
    run_history(std::move(plan));
}

BOOST_AUTO_TEST_SUITE_END()
