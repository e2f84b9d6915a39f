// Every server of these tests runs with the reactor trap: a blocking call on a reactor fails the test.
#include "tests/support/reactors.hpp"

#include <boost/test/unit_test.hpp>

#include <iostream>

namespace {

struct reactor_check {
    reactor_check()
    {
        support::on_blocking_call() = [](const std::string& calls) {
            BOOST_ERROR("a reactor made blocking calls:\n" << calls);
        };
    }

    ~reactor_check()
    {
        auto& turns = support::observed_turns();
        if (turns.count > 0)
            std::cout << "reactors: longest turn " << turns.longest_us << " us (" << turns.longest_cpu_us
                      << " us of processor time); " << turns.blocked << " of " << turns.count
                      << " turns slept, the longest " << turns.longest_blocked_us << " us; longest lock wait "
                      << turns.longest_lock_wait_us << " us\n";
    }
};

} // namespace

BOOST_TEST_GLOBAL_CONFIGURATION(reactor_check);
