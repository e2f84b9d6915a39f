#include "handlers/routes.hpp"

#include "handlers/access/permissions.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace handlers;
using kind = handlers::guard::kind;

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(no_two_lines_are_for_the_same_call)
{
    std::set<std::string> seen;
    for (auto& line : all_routes()) {
        auto name = std::string(http::to_string(line.method)) + " " + std::string(line.path);
        BOOST_TEST(seen.insert(name).second, name);
    }
}

BOOST_AUTO_TEST_CASE(only_what_watches_the_server_is_never_counted)
{
    const std::set<std::string_view> watches = {"/healthz", "/readyz", "/metrics"};
    for (auto& line : all_routes())
        BOOST_TEST(((line.who.who == kind::unlimited) == watches.contains(line.path)), line.path);
}

BOOST_AUTO_TEST_CASE(few_calls_need_no_credential)
{
    const std::set<std::string_view> open = {"/api/v1/users/signup",
                                             "/api/v1/users/login",
                                             "/api/v1/users/token/refresh",
                                             "/api/v1/users/api-keys/report",
                                             "/api/v1/users/email/verify",
                                             "/api/v1/users/email/verify/resend",
                                             "/api/v1/users/email/change/confirm",
                                             "/api/v1/users/password/forgot",
                                             "/api/v1/users/password/reset",
                                             "/api/v1/users/oauth/google/authorize",
                                             "/api/v1/users/oauth/google/callback",
                                             "/api/v1/users/oauth/google/exchange",
                                             "/api/v1/users/invites/preview",
                                             "/api/v1/users/invites/accept",
                                             "/invite",
                                             "/verify",
                                             "/reset",
                                             "/email-change",
                                             "/unsubscribe",
                                             "/.well-known/jwks.json",
                                             "/openapi.json",
                                             "/docs",
                                             "/docs/{file}",
                                             "/claim",
                                             "/api/v1/users/api-keys/claim",
                                             "/mcp",
                                             "/.well-known/oauth-protected-resource",
                                             "/.well-known/oauth-protected-resource/mcp",
                                             "/api/v1/users/revoke"};
    for (auto& line : all_routes())
        if (line.who.who == kind::anyone)
            BOOST_TEST(open.contains(line.path), line.path);
}

BOOST_AUTO_TEST_CASE(every_permission_asked_for_exists)
{
    permission_table permissions({});
    for (auto& line : all_routes())
        if (line.who.who == kind::permission)
            BOOST_TEST(permissions.knows(line.who.permission), line.path);
}

BOOST_AUTO_TEST_CASE(a_status_of_success_fits_its_answer)
{
    for (auto& line : all_routes()) {
        BOOST_TEST((line.success >= 200u && line.success < 300u), line.path);
        if (line.success == 204u)
            BOOST_TEST(!line.describe_output, line.path);
    }
}

BOOST_AUTO_TEST_SUITE_END()
