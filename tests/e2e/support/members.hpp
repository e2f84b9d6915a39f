// Further users, and how they become members of Ada's workspace.
#pragma once

#include "tests/e2e/support/account_fixture.hpp"

namespace e2e {

/// A user with a session.
struct person {
    std::string token, refresh_token, user, workspace;
};

inline std::string credentials(const std::string& email, const std::string& password = "long enough")
{
    return support::object({{"email", email}, {"password", password}});
}

/// The user and the session in a response to signup or login.
inline person person_from(const support::response& answer)
{
    return {answer.text("/access_token"), answer.text("/refresh_token"), answer.text("/user/id"),
            answer.text("/workspace/id")};
}

inline person sign_up(support::http_client& client, const std::string& email)
{
    auto made = client.post(base + "/signup", credentials(email));
    BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
    return person_from(made);
}

inline person log_in(support::http_client& client, const std::string& email)
{
    auto opened = client.post(base + "/login", credentials(email));
    BOOST_REQUIRE_MESSAGE(opened.status == 200u, opened.body);
    return person_from(opened);
}

/// Mark an address as verified, without the email.
inline void verify_address(const support::database& db, const std::string& email)
{
    db.sql_with_invalidation("UPDATE users SET email_verified_at = now() WHERE email_normalized = '" + email +
                             "'");
}

inline void unverify_address(const support::database& db, const std::string& email)
{
    db.sql_with_invalidation("UPDATE users SET email_verified_at = NULL WHERE email_normalized = '" + email +
                             "'");
}

/// Sign up a user, make them a member of Ada's workspace, and log in to it.
inline person add_member(account_fixture& fixture, const std::string& email, const std::string& role)
{
    auto user = sign_up(fixture.client, email);
    fixture.db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + fixture.workspace +
                   "', '" + user.user + "', '" + role + "'); UPDATE users SET last_workspace_id = '" +
                   fixture.workspace + "' WHERE id = '" + user.user + "'");
    auto member = log_in(fixture.client, email);
    BOOST_REQUIRE(member.workspace == fixture.workspace);
    return member;
}

/// Ada's workspace and, separate from it, Eve's.
struct two_workspaces_fixture : account_fixture {
    using account_fixture::account_fixture;
    person eve = sign_up(client, "eve@example.net");
};

/// Ada's workspace with one member of each role.
struct team_fixture : account_fixture {
    using account_fixture::account_fixture;
    person mel = add_member(*this, "mel@example.com", "manager");
    person bob = add_member(*this, "bob@example.com", "member");
};

} // namespace e2e
