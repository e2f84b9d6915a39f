// Tenant isolation: objects of another workspace are answered with 404, regardless of what the caller may do
// in their own.
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <initializer_list>
#include <string>
#include <vector>

using namespace e2e;
using namespace e2e::authorization_matrix;

namespace {

/// Whether a row names an object of the caller; these tests give it to another workspace instead.
bool names_own_object(const row& line)
{
    return line.path.find("{own key}") != line.path.npos || line.path.find("{own session}") != line.path.npos;
}

/// Every row with an id in its path or its body.
std::vector<row> rows_with_ids()
{
    std::vector<row> out;
    for (auto& line : matrix)
        if (names_workspace_object(line) || names_own_object(line))
            out.push_back(line);
    // In the matrix this call has no id.
    out.push_back(open(verb::post, "/token/refresh",
                       R"({"refresh_token":"{own refresh}","workspace_id":"{workspace}"})", 200));
    return out;
}

/// Calls that a kind of key can never make, regardless of what they name.
bool is_forbidden_for(credential with, const row& line)
{
    bool is_personal = line.acts_on == subject::user || line.acts_on == subject::ownership;
    return (line.acts_on == subject::session && with != credential::session) ||
           (is_personal && with == credential::workspace_key);
}

struct cross_workspace_fixture : matrix_fixture {
    void check_not_found(const row& line, caller who, credential with)
    {
        scenario one(*this, line, who, with, true);
        auto before = one.stored_rows();
        auto answer = one.send();
        auto expected = is_forbidden_for(with, line) ? 403u : 404u;
        auto description = name_of(line) +
                           (who == caller::member_of_both ? " by a member of both" : " by an outsider") +
                           (with == credential::session    ? " with a session"
                            : with == credential::full_key ? " with a key"
                                                           : " with a workspace key") +
                           ": " + std::to_string(answer.status) + " " + answer.body;
        BOOST_TEST(answer.status == expected, description);
        BOOST_TEST(answer.code() == (expected == 403 ? "forbidden" : "not_found"), description);
        BOOST_TEST(one.stored_rows() == before, description);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cross_workspace)

BOOST_AUTO_TEST_CASE(every_path_parameter_is_covered)
{
    // Names of providers, files and screens are not ids.
    for (auto& line : matrix)
        if (line.path.substr(0, line.path.find('?')).find('{') != line.path.npos)
            BOOST_TEST((names_workspace_object(line) || names_own_object(line) ||
                        line.path.find("{own grant}") != line.path.npos ||
                        line.path.find("{style.css}") != line.path.npos ||
                        line.path.starts_with("/console/")),
                       name_of(line));
}

BOOST_FIXTURE_TEST_CASE(ids_of_another_workspace_are_not_found, cross_workspace_fixture)
{
    for (auto& line : rows_with_ids())
        for (auto with : {credential::session, credential::full_key, credential::workspace_key})
            check_not_found(line, caller::outsider, with);
}

BOOST_FIXTURE_TEST_CASE(the_credential_selects_the_workspace_not_its_owner, cross_workspace_fixture)
{
    for (auto& line : rows_with_ids()) {
        // A user can manage all of their sessions, switch to any of their workspaces, and see the avatars of
        // all users in them.
        bool is_independent_of_workspace = line.path.find("{own session}") != line.path.npos ||
                                           line.acts_on == subject::session || line.acts_on == subject::open;
        if (is_independent_of_workspace)
            continue;
        if (!line.path.starts_with("/avatars/"))
            check_not_found(line, caller::member_of_both, credential::session);
        check_not_found(line, caller::member_of_both, credential::full_key);
    }
}

BOOST_AUTO_TEST_SUITE_END()
