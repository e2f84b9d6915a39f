#include "handlers/metrics/registry.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

bool has(const std::string& text, std::string_view line)
{
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(the_counts_of_all_cores_add_up)
{
    db::lease lease;
    handlers::metrics_board board(2, lease);
    board.publish(0, {.credentials = {1, 2, 3, 4, 5, 6}});
    board.publish(1, {.credentials = {10, 20, 30, 40, 50, 60}});
    board.publish(0, {.credentials = {100, 2, 3, 4, 5, 6}}); // instead of the ones before
    auto text = board.text();
    BOOST_TEST(has(text, "latchkey_credential_checks_total{result=\"hit\"} 110"));
    BOOST_TEST(has(text, "latchkey_credential_checks_total{result=\"absent\"} 22"));
    BOOST_TEST(has(text, "latchkey_credential_checks_total{result=\"miss\"} 33"));
    BOOST_TEST(has(text, "latchkey_credentials_pushed_out_total 44"));
    BOOST_TEST(has(text, "latchkey_credentials_remembered 55"));
    BOOST_TEST(has(text, "latchkey_credentials_remembered_bytes 66"));
    BOOST_TEST(has(text, "# TYPE latchkey_credentials_remembered gauge"));
}

BOOST_AUTO_TEST_CASE(the_state_of_the_lease_is_told_as_it_is)
{
    db::lease lease;
    handlers::metrics_board board(1, lease);
    BOOST_TEST(has(board.text(), "latchkey_lease_held 0"));
    BOOST_TEST(has(board.text(), "latchkey_nodes 1"));
    lease.grant(db::boot_clock::now() + std::chrono::hours(1));
    board.publish_nodes(3);
    BOOST_TEST(has(board.text(), "latchkey_lease_held 1"));
    BOOST_TEST(has(board.text(), "latchkey_nodes 3"));
    lease.drop();
    BOOST_TEST(has(board.text(), "latchkey_lease_held 0"));
}

BOOST_AUTO_TEST_SUITE_END()
