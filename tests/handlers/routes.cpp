// The route table: each line is consistent in itself and with the permissions.
#include "handlers/routes.hpp"

#include "handlers/access/permissions.hpp"
#include "handlers/http/operation.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace handlers;
using kind = handlers::guard_kind;

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(no_two_routes_have_the_same_method_and_path)
{
    std::set<std::string> seen;
    for (auto& line : all_routes()) {
        auto name = std::string(http::to_string(line.method)) + " " + std::string(line.path);
        BOOST_TEST(seen.insert(name).second, name);
    }
}

BOOST_AUTO_TEST_CASE(only_health_checks_metrics_and_files_have_no_rate_limit)
{
    const std::set<std::string_view> unlimited_paths = {"/healthz", "/readyz", "/metrics",
                                                        "/assets/{digest}/{path*}"};
    for (auto& line : all_routes())
        BOOST_TEST(((line.guard.kind == kind::unlimited) == unlimited_paths.contains(line.path)), line.path);
}

// What reads or sets the cookie of a browser, and changes something, is not for other sites.
BOOST_AUTO_TEST_CASE(calls_by_cookie_are_for_the_site_s_own_pages)
{
    for (auto& line : all_routes())
        if (line.guard.kind == kind::browser_session || line.path.starts_with("/session"))
            BOOST_TEST((line.guard.needs_same_origin && line.method != http::verb::get), line.path);
}

BOOST_AUTO_TEST_CASE(each_permission_of_a_guard_exists)
{
    permission_table permissions({});
    for (auto& line : all_routes())
        if (line.guard.kind == kind::permission)
            BOOST_TEST(permissions.knows(line.guard.permission), line.path);
}

BOOST_AUTO_TEST_CASE(the_status_of_success_fits_the_body)
{
    for (auto& line : all_routes()) {
        BOOST_TEST((line.success >= 200u && line.success < 300u), line.path);
        if (line.success == 204u)
            BOOST_TEST(!line.describe_output, line.path);
    }
}

BOOST_AUTO_TEST_CASE(operation_ids_are_unique)
{
    std::set<std::string_view> seen;
    for (auto& line : all_routes())
        BOOST_TEST(seen.insert(line.operation->id).second, line.operation->id);
}

BOOST_AUTO_TEST_SUITE_END()
