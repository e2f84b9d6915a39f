// Who else there is in a flow, and how they come into Ada's workspace.
#pragma once

#include "tests/e2e/support/signed_up.hpp"

namespace flows {

struct person {
    std::string token, refresh_token, user, workspace;
};

inline std::string credentials(const std::string& email, const std::string& password = "long enough")
{
    return support::object({{"email", email}, {"password", password}});
}

/// The person of an answer to signup or login.
inline person person_of(const support::response& answer)
{
    return {answer.text("/access_token"), answer.text("/refresh_token"), answer.text("/user/id"),
            answer.text("/workspace/id")};
}

inline person sign_up(support::http_client& client, const std::string& email)
{
    auto made = client.post(base + "/signup", credentials(email));
    BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
    return person_of(made);
}

inline person log_in(support::http_client& client, const std::string& email)
{
    auto opened = client.post(base + "/login", credentials(email));
    BOOST_REQUIRE_MESSAGE(opened.status == 200u, opened.body);
    return person_of(opened);
}

/// Somebody signs up, becomes a member of Ada's workspace, and signs in to that.
inline person bring_in(signed_up& world, const std::string& email, const std::string& role)
{
    auto who = sign_up(world.client, email);
    world.db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + world.workspace +
                 "', '" + who.user + "', '" + role + "'); UPDATE users SET last_workspace_id = '" +
                 world.workspace + "' WHERE id = '" + who.user + "'");
    auto there = log_in(world.client, email);
    BOOST_REQUIRE(there.workspace == world.workspace);
    return there;
}

/// Somebody as signed_up has Ada, in a workspace that she knows nothing of.
struct two_workspaces : signed_up {
    person eve = sign_up(client, "eve@example.net");
};

/// Ada's workspace with one of each role.
struct team : signed_up {
    using signed_up::signed_up;
    person mel = bring_in(*this, "mel@example.com", "manager");
    person bob = bring_in(*this, "bob@example.com", "member");
};

} // namespace flows
