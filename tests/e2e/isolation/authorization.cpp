// Every route, called by everybody with everything.
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <algorithm>
#include <string>
#include <utility>

using namespace flows;
using namespace flows::rights;

namespace {

constexpr std::pair<who, std::string_view> callers[] = {{who::nobody, "nobody"},
                                                        {who::member, "a member"},
                                                        {who::manager, "a manager"},
                                                        {who::admin, "an admin"},
                                                        {who::owner, "the owner"},
                                                        {who::outsider, "another workspace's owner"},
                                                        {who::disabled, "somebody disabled"},
                                                        {who::without, "somebody without a workspace"},
                                                        {who::waiting, "somebody who waits to be let in"}};
constexpr std::pair<what, std::string_view> credentials_of_callers[] = {
    {what::session, "a session"},
    {what::key, "a key"},
    {what::sole_key, "a key for that alone"},
    {what::narrow_key, "a key for all but that"},
    {what::workspace_key, "a workspace's key"}};

/// Whether there is such a credential.
bool exists(const row& line, who caller, what with)
{
    if (caller == who::nobody || caller == who::without || caller == who::waiting)
        return with == what::session;
    return with != what::sole_key || (!line.needs.empty() && line.needs != everything);
}

/// What a refusal lacks of what the contract says of it; empty if nothing.
std::string fault_of(const support::response& refusal, const row& line, who caller, what with)
{
    auto challenge = refusal.header("WWW-Authenticate");
    if (refusal.status == 401) {
        // RFC 6750, 3.1: whoever has sent nothing is told of no error.
        bool tells_error = challenge.find("error=") != challenge.npos;
        return refusal.code() != "unauthorized"         ? "the code"
               : !challenge.starts_with("Bearer ")      ? "the challenge"
               : tells_error != (caller != who::nobody) ? "the challenge's error"
                                                        : "";
    }
    if (refusal.status == 403) {
        bool lacks = !has_permission(caller, with, line);
        if (caller == who::waiting)
            return refusal.code() == "pending_approval" ? "" : "that they wait";
        if (caller == who::without)
            return "";
        return (refusal.code() == "forbidden_scope") != lacks           ? "the code"
               : refusal.text("/required") != (lacks ? line.needs : "") ? "what is required"
                                                                        : "";
    }
    return refusal.status != 404 || refusal.code() == "not_found" ? "" : "the code";
}

struct everybody : city {
    void try_out(const row& line, std::pair<who, std::string_view> caller,
                 std::pair<what, std::string_view> with)
    {
        auto wanted = expected(line, caller.first, with.first);
        scene one(*this, line, caller.first, with.first);
        auto before = one.look();
        auto answer = one.play();
        auto what_it_was = name_of(line) + " by " + std::string(caller.second) + " with " +
                           std::string(with.second) + ": " + std::to_string(answer.status) + " " +
                           answer.body;
        BOOST_TEST_REQUIRE(before.size() > 100u);
        BOOST_TEST(answer.status == wanted, what_it_was << ", but it should be " << wanted);
        if (line.what == about::anyone)
            return;
        BOOST_TEST(fault_of(answer, line, caller.first, with.first) == "", what_it_was);
        // What is done is done, and what is refused or only read has changed nothing.
        bool is_to_change = wanted < 300 && line.method != verb::get && !line.only_asks;
        BOOST_TEST(
            (one.look() != before) == is_to_change,
            what_it_was << (is_to_change ? ", and nothing was changed" : ", and something was changed"));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(authorization)

// The build runs this one: a route that nobody has thought about does not get as far as a test run.
BOOST_AUTO_TEST_CASE(each_route_has_one_row_and_each_row_a_route)
{
    for (auto& route : handlers::all_routes()) {
        auto rows = std::ranges::count_if(table, [&](const row& line) { return is_for(line, route); });
        BOOST_TEST(rows == 1, support::http::to_string(route.method)
                                  << " " << route.path << " has " << rows << " rows");
    }
    for (auto& line : table) {
        auto routes = std::ranges::count_if(
            handlers::all_routes(), [&](const handlers::route& route) { return is_for(line, route); });
        BOOST_TEST(routes == 1, name_of(line) << " is a row of " << routes << " routes");
    }
}

BOOST_FIXTURE_TEST_CASE(everybody_gets_what_the_table_says, everybody)
{
    for (auto& line : table)
        for (auto& caller : callers)
            for (auto& with : credentials_of_callers)
                if (exists(line, caller.first, with.first))
                    try_out(line, caller, with);
}

BOOST_FIXTURE_TEST_CASE(each_permission_is_had_by_whom_the_table_says, everybody)
{
    for (auto& one : permissions) {
        auto path = "/auth?permission=" + std::string(one.permission);
        auto line = of_workspace(verb::get, path, "", one.permission, 200);
        for (auto& caller : callers)
            for (auto& with : credentials_of_callers)
                if (exists(line, caller.first, with.first))
                    try_out(line, caller, with);
    }
}

BOOST_AUTO_TEST_SUITE_END()
