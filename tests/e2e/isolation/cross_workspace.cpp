// Whatever has an id is not there for other workspaces, whatever the caller may do in theirs.
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <initializer_list>
#include <string>
#include <vector>

using namespace flows;
using namespace flows::rights;

namespace {

/// What the caller's own would be, in the table; here it is the other workspace's.
bool names_ones_own(const row& line)
{
    return line.path.find("{own key}") != line.path.npos || line.path.find("{own session}") != line.path.npos;
}

/// Every row with an id in its path or its body.
std::vector<row> rows_with_ids()
{
    std::vector<row> out;
    for (auto& line : table)
        if (names_what_is_the_workspaces(line) || names_ones_own(line))
            out.push_back(line);
    // The table's row of this needs no id.
    out.push_back(open(verb::post, "/token/refresh",
                       R"({"refresh_token":"{own refresh}","workspace_id":"{workspace}"})", 200));
    return out;
}

/// A key is for no call about a session or a person, whatever that names.
bool is_refused_to(what with, const row& line)
{
    bool is_personal = line.what == about::person || line.what == about::ownership;
    return (line.what == about::session && with != what::session) ||
           (is_personal && with == what::workspace_key);
}

struct another_workspace : city {
    void is_not_there(const row& line, who caller, what with)
    {
        scene one(*this, line, caller, with, true);
        auto before = one.look();
        auto answer = one.play();
        auto wanted = is_refused_to(with, line) ? 403u : 404u;
        auto what_it_was = name_of(line) +
                           (caller == who::of_both ? " by a member of both" : " by a stranger") +
                           (with == what::session ? " with a session"
                            : with == what::key   ? " with a key"
                                                  : " with a workspace's key") +
                           ": " + std::to_string(answer.status) + " " + answer.body;
        BOOST_TEST(answer.status == wanted, what_it_was);
        BOOST_TEST(answer.code() == (wanted == 403 ? "forbidden" : "not_found"), what_it_was);
        BOOST_TEST(one.look() == before, what_it_was);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cross_workspace)

BOOST_AUTO_TEST_CASE(every_parameter_is_one_of_these)
{
    // The name of a provider or of a file is no id.
    for (auto& line : table)
        if (line.path.substr(0, line.path.find('?')).find('{') != line.path.npos)
            BOOST_TEST((names_what_is_the_workspaces(line) || names_ones_own(line) ||
                        line.path.find("{own grant}") != line.path.npos ||
                        line.path.find("{start.js}") != line.path.npos),
                       name_of(line));
}

BOOST_FIXTURE_TEST_CASE(what_is_another_workspaces_is_not_there, another_workspace)
{
    for (auto& line : rows_with_ids())
        for (auto with : {what::session, what::key, what::workspace_key})
            is_not_there(line, who::outsider, with);
}

BOOST_FIXTURE_TEST_CASE(the_credential_says_which_workspace_it_is_and_not_who_has_it, another_workspace)
{
    for (auto& line : rows_with_ids()) {
        // A session is its person's wherever they are, may go on to wherever they belong, and sees whom they
        // share a workspace with.
        bool is_the_persons = line.path.find("{own session}") != line.path.npos ||
                              line.what == about::session || line.what == about::anyone;
        if (is_the_persons)
            continue;
        if (!line.path.starts_with("/avatars/"))
            is_not_there(line, who::of_both, what::session);
        is_not_there(line, who::of_both, what::key);
    }
}

BOOST_AUTO_TEST_SUITE_END()
