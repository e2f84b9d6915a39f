// History test with a standby that takes over: what was revoked before is revoked after.
#include "tests/consistency/history_run.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

using namespace consistency;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(failovers)

BOOST_AUTO_TEST_CASE(no_success_begins_after_its_revocation_has_returned_through_failovers)
{
    run_plan plan;
    plan.first = consistency::failovers();
    plan.length = 0s;
    if (std::getenv("LATCHKEY_HISTORY_SECONDS") || std::getenv("LATCHKEY_HISTORY_CHECKS")) {
        plan.later = node_faults();
        plan.later.insert(plan.later.end(), plan.first.begin(), plan.first.end());
    }
    run_history(std::move(plan));
}

BOOST_AUTO_TEST_SUITE_END()
