// Invites to Ada's workspace and the emails that carry them.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/mailbox.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace e2e {

/// Email address and role.
using invite_lines = std::vector<std::pair<std::string, std::string>>;

inline std::string invites_body(const invite_lines& lines)
{
    boost::json::array all;
    for (auto& [email, role] : lines)
        all.push_back({{"email", email}, {"role", role}});
    return support::object({{"invites", all}});
}

/// Status, code and reason of the response to a closed invite: "400 invalid_token cancelled".
inline std::string invite_error(const support::response& answer)
{
    return std::to_string(answer.status) + " " + answer.code() + " " + answer.text("/reason");
}

inline constexpr std::string_view invite_subject = "You are invited to";
inline constexpr std::string_view reminder_subject = "Reminder: you are invited to";

/// Ada's workspace with one member of each role, and a mailbox. Ada and Mel, who may invite, have verified
/// their addresses.
struct invite_fixture : team_fixture {
    explicit invite_fixture(const support::environment& settings = {}) : team_fixture(settings)
    {
        verify_address("ada@example.com");
        verify_address("mel@example.com");
    }

    support::response post(const std::string& path, const std::string& body, const std::string& with = {})
    {
        return client.post(base + path, body, with);
    }

    support::response invite(const std::string& with, const invite_lines& lines)
    {
        return post("/team/invites", invites_body(lines), with);
    }

    /// @return the id of a new invite
    std::string invite_one(const std::string& email, const std::string& role = "member",
                           const std::string& with = {})
    {
        auto made = invite(with.empty() ? token : with, {{email, role}});
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/items/0/invite_id");
    }

    support::email email_to(const std::string& email, std::string_view subject = invite_subject)
    {
        auto found = mailbox.wait_for(email, subject);
        BOOST_REQUIRE_MESSAGE(found.has_value(), "no email to " + email + ": " + std::string(subject));
        return *found;
    }

    /// The token in the next email with this subject.
    std::string emailed_token(const std::string& email, std::string_view subject = invite_subject)
    {
        auto out = support::token_in(email_to(email, subject));
        BOOST_REQUIRE(!out.empty());
        return out;
    }

    /// @return the token in the email of a new invite
    std::string invitation_token(const std::string& email, const std::string& role = "member")
    {
        invite_one(email, role);
        return emailed_token(email);
    }

    support::response preview(const std::string& invitation)
    {
        return post("/invites/preview", support::object({{"token", invitation}}));
    }

    /// Accept with a session, or without proof of identity.
    support::response accept(const std::string& invitation, const std::string& with = {})
    {
        return post("/invites/accept", support::object({{"token", invitation}}), with);
    }

    support::response accept_with(const std::string& invitation, const std::string& password)
    {
        return post("/invites/accept", support::object({{"token", invitation}, {"password", password}}));
    }

    /// The stored role of a user in Ada's workspace; empty for non-members.
    std::string role_of(const std::string& user_id)
    {
        return db.sql("SELECT role FROM memberships WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + user_id + "'");
    }

    void verify_address(const std::string& email) { e2e::verify_address(db, email); }

    support::mailbox mailbox{server.mail_folder()};
};

} // namespace e2e
