// Every route, called by every kind of caller with every kind of credential.
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <algorithm>
#include <string>
#include <utility>

using namespace e2e;
using namespace e2e::authorization_matrix;

namespace {

constexpr std::pair<caller, std::string_view> callers[] = {
    {caller::anonymous, "an anonymous client"},
    {caller::member, "a member"},
    {caller::manager, "a manager"},
    {caller::admin, "an admin"},
    {caller::owner, "the owner"},
    {caller::outsider, "the owner of another workspace"},
    {caller::disabled, "a disabled user"},
    {caller::without_workspace, "a user without a workspace"},
    {caller::pending, "a user pending approval"}};
constexpr std::pair<credential, std::string_view> kinds_of_credentials[] = {
    {credential::session, "a session"},
    {credential::full_key, "a key"},
    {credential::minimal_key, "a key with the required scope only"},
    {credential::insufficient_key, "a key without the required scope"},
    {credential::workspace_key, "a workspace key"}};

/// Whether such a caller can have such a credential.
bool exists(const row& line, caller who, credential with)
{
    if (who == caller::anonymous || who == caller::without_workspace || who == caller::pending)
        return with == credential::session;
    return with != credential::minimal_key || (!line.required.empty() && line.required != all_permissions);
}

/// The part of an error response that violates the contract; empty if none does.
std::string contract_violation(const support::response& denial, const row& line, caller who, credential with)
{
    auto challenge = denial.header("WWW-Authenticate");
    if (denial.status == 401) {
        // RFC 6750, 3.1: no error code for requests without credentials.
        bool names_error = challenge.find("error=") != challenge.npos;
        return denial.code() != "unauthorized"             ? "the code"
               : !challenge.starts_with("Bearer ")         ? "the challenge"
               : names_error != (who != caller::anonymous) ? "the challenge's error"
                                                           : "";
    }
    if (denial.status == 403) {
        bool lacks_permission = !has_permission(who, with, line);
        if (who == caller::pending)
            return denial.code() == "pending_approval" ? "" : "the pending approval";
        if (who == caller::without_workspace)
            return "";
        return (denial.code() == "forbidden_scope") != lacks_permission ? "the code"
               : denial.text("/required") != (lacks_permission ? line.required : "")
                   ? "the required permission"
                   : "";
    }
    return denial.status != 404 || denial.code() == "not_found" ? "" : "the code";
}

struct every_call : matrix_fixture {
    void check(const row& line, std::pair<caller, std::string_view> who,
               std::pair<credential, std::string_view> with)
    {
        auto expected = expected_status(line, who.first, with.first);
        scenario one(*this, line, who.first, with.first);
        auto before = one.stored_rows();
        auto answer = one.send();
        auto description = name_of(line) + " by " + std::string(who.second) + " with " +
                           std::string(with.second) + ": " + std::to_string(answer.status) + " " +
                           answer.body;
        BOOST_TEST_REQUIRE(before.size() > 100u);
        BOOST_TEST(answer.status == expected, description << ", but it should be " << expected);
        if (line.acts_on == subject::open)
            return;
        BOOST_TEST(contract_violation(answer, line, who.first, with.first) == "", description);
        // Successful writes change something; reads and denied calls change nothing.
        bool is_write = expected < 300 && line.method != verb::get && !line.is_safe;
        BOOST_TEST((one.stored_rows() != before) == is_write,
                   description << (is_write ? ", and nothing was changed" : ", and something was changed"));
    }

    void check_with_all_credentials(const row& line)
    {
        for (auto& who : callers)
            for (auto& with : kinds_of_credentials)
                if (exists(line, who.first, with.first))
                    check(line, who, with);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(authorization)

// Also executed by the build: a route without a row in the matrix fails to build.
BOOST_AUTO_TEST_CASE(every_route_has_one_row_and_every_row_a_route)
{
    for (auto& route : handlers::all_routes()) {
        auto rows = std::ranges::count_if(matrix, [&](const row& line) { return describes(line, route); });
        BOOST_TEST(rows == 1, support::http::to_string(route.method)
                                  << " " << route.path << " has " << rows << " rows");
    }
    for (auto& line : matrix) {
        auto routes = std::ranges::count_if(
            handlers::all_routes(), [&](const handlers::route& route) { return describes(line, route); });
        BOOST_TEST(routes == 1, name_of(line) << " is a row of " << routes << " routes");
    }
}

BOOST_FIXTURE_TEST_CASE(every_call_is_answered_as_the_matrix_says, every_call)
{
    for (auto& line : matrix)
        check_with_all_credentials(line);
}

BOOST_FIXTURE_TEST_CASE(every_permission_is_granted_as_the_matrix_says, every_call)
{
    for (auto& one : permissions) {
        auto path = "/auth?permission=" + std::string(one.permission);
        check_with_all_credentials(on_workspace(verb::get, path, "", one.permission, 200));
    }
}

BOOST_AUTO_TEST_SUITE_END()
