// The reactor trap (tests/reactor_trap) reports every call of a reactor that may block: the test of the test.
#include "tests/support/child_process.hpp"
#include "tests/support/reactors.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

namespace {

/// What the trap reports of a program that makes a call on its reactor.
struct probe_fixture {
    probe_fixture()
    {
        support::on_blocking_call() = [this](const std::string& calls) { reported += calls; };
    }
    ~probe_fixture() { support::on_blocking_call() = before; }

#ifdef REACTOR_TRAP_PROBE
    std::string output_of(std::vector<std::string> arguments, const support::environment& settings)
    {
        arguments.insert(arguments.begin(), REACTOR_TRAP_PROBE);
        support::child_process process(std::move(arguments), settings, STDOUT_FILENO);
        exit_code = process.wait();
        return process.output();
    }

    std::string report_of(const std::string& call)
    {
        support::temporary_folder folder;
        auto file = folder.path() + "/reactors";
        reported.clear();
        output_of({call}, support::watch_reactors(file));
        BOOST_TEST((exit_code == 0), call);
        const std::string_view expected[] = {"core-0"};
        support::read_reactor_report(file, expected);
        return reported;
    }
#endif

    std::function<void(const std::string&)> before = support::on_blocking_call();
    std::string reported;
    std::optional<int> exit_code;
};

} // namespace

BOOST_AUTO_TEST_SUITE(reactor_trap)

#ifdef REACTOR_TRAP_PROBE

BOOST_FIXTURE_TEST_CASE(every_blocking_call_is_reported, probe_fixture)
{
    std::istringstream names(output_of({}, {}));
    int count = 0;
    for (std::string name; std::getline(names, name); ++count)
        BOOST_TEST(report_of(name).find("blocking core-0 " + name + " ") != std::string::npos,
                   name << ": " << reported);
    BOOST_TEST(count > 50);
}

BOOST_FIXTURE_TEST_CASE(calls_that_cannot_wait_are_allowed, probe_fixture)
{
    BOOST_TEST(report_of("allowed") == "");
}

BOOST_FIXTURE_TEST_CASE(a_program_without_the_trap_is_reported, probe_fixture)
{
    support::temporary_folder folder;
    output_of({"allowed"}, {});
    support::read_reactor_report(folder.path() + "/reactors");
    BOOST_TEST(reported.find("no turn of a reactor was observed") != std::string::npos);
    for (std::string name : {"core-0", "node", "mail"})
        BOOST_TEST(reported.find("no reactor is watched that has the name " + name) != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_report_that_cannot_be_written_ends_the_program, probe_fixture)
{
    output_of({"allowed"}, support::watch_reactors("/nowhere/reactors"));
    BOOST_TEST((exit_code && exit_code != 0));
}

#else

BOOST_FIXTURE_TEST_CASE(sanitizer_builds_have_no_trap, probe_fixture)
{
    BOOST_TEST(support::watch_reactors("").empty());
}

#endif

BOOST_AUTO_TEST_SUITE_END()
