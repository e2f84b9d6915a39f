#include "handlers/metrics/registry.hpp"

#include "handlers/routes.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

bool has_line(const std::string& text, std::string_view line)
{
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(the_counts_of_all_cores_add_up)
{
    db::lease lease;
    handlers::metrics_registry registry(handlers::all_routes(), 2, lease);
    registry.publish(0, {.credentials = {1, 2, 3, 4, 5, 6}});
    registry.publish(1, {.credentials = {10, 20, 30, 40, 50, 60}});
    registry.publish(0, {.credentials = {100, 2, 3, 4, 5, 6}}); // replaces the values before
    auto text = registry.text();
    BOOST_TEST(has_line(text, "latchkey_credential_cache_lookups_total{result=\"hit\"} 110"));
    BOOST_TEST(has_line(text, "latchkey_credential_cache_lookups_total{result=\"negative_hit\"} 22"));
    BOOST_TEST(has_line(text, "latchkey_credential_cache_lookups_total{result=\"miss\"} 33"));
    BOOST_TEST(has_line(text, "latchkey_credential_cache_evictions_total 44"));
    BOOST_TEST(has_line(text, "latchkey_credential_cache_entries 55"));
    BOOST_TEST(has_line(text, "latchkey_credential_cache_bytes 66"));
    BOOST_TEST(has_line(text, "# TYPE latchkey_credential_cache_entries gauge"));
}

BOOST_AUTO_TEST_CASE(the_lease_and_the_nodes_are_reported)
{
    db::lease lease;
    handlers::metrics_registry registry(handlers::all_routes(), 1, lease);
    BOOST_TEST(has_line(registry.text(), "latchkey_lease_held 0"));
    BOOST_TEST(has_line(registry.text(), "latchkey_nodes 1"));
    lease.grant(db::boot_clock::now() + std::chrono::hours(1));
    registry.publish_nodes(3);
    BOOST_TEST(has_line(registry.text(), "latchkey_lease_held 1"));
    BOOST_TEST(has_line(registry.text(), "latchkey_nodes 3"));
    lease.drop();
    BOOST_TEST(has_line(registry.text(), "latchkey_lease_held 0"));
}

BOOST_AUTO_TEST_SUITE_END()
