// Inviting people into Ada's workspace, and what they find in their mail.
#pragma once

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/mailbox.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flows {

using invite_lines = std::vector<std::pair<std::string, std::string>>; // address and role

inline std::string batch_of(const invite_lines& lines)
{
    boost::json::array all;
    for (auto& [email, role] : lines)
        all.push_back({{"email", email}, {"role", role}});
    return support::object({{"invites", all}});
}

/// What is told of an invitation that is over: "400 invalid_token cancelled".
inline std::string end_of(const support::response& answer)
{
    return std::to_string(answer.status) + " " + answer.code() + " " + answer.text("/reason");
}

inline constexpr std::string_view invite_subject = "You are invited to";
inline constexpr std::string_view reminder_subject = "Reminder: you are invited to";

/// Ada's workspace with one of each role, and everybody's mail.
struct inviting : team {
    using team::team;

    support::response post(const std::string& path, const std::string& body, const std::string& with = {})
    {
        return client.post(base + path, body, with);
    }

    support::response invite(const std::string& with, const invite_lines& lines)
    {
        return post("/team/invites", batch_of(lines), with);
    }

    /// Invite one more. @return the invite's id
    std::string invite_one(const std::string& email, const std::string& role = "member",
                           const std::string& with = {})
    {
        auto made = invite(with.empty() ? token : with, {{email, role}});
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/items/0/invite_id");
    }

    support::letter letter_to(const std::string& email, std::string_view subject = invite_subject)
    {
        auto found = mails.wait_for(email, subject);
        BOOST_REQUIRE_MESSAGE(found.has_value(), "no letter to " + email + ": " + std::string(subject));
        return *found;
    }

    /// The token of the next letter of this kind to somebody.
    std::string token_to(const std::string& email, std::string_view subject = invite_subject)
    {
        auto out = support::token_in(letter_to(email, subject));
        BOOST_REQUIRE(!out.empty());
        return out;
    }

    /// Invite one more. @return the token in the mail
    std::string invitation_of(const std::string& email, const std::string& role = "member")
    {
        invite_one(email, role);
        return token_to(email);
    }

    support::response preview(const std::string& invitation)
    {
        return post("/invites/preview", support::object({{"token", invitation}}));
    }

    /// Accept by a session, or with no proof at all.
    support::response accept(const std::string& invitation, const std::string& with = {})
    {
        return post("/invites/accept", support::object({{"token", invitation}}), with);
    }

    support::response accept_with(const std::string& invitation, const std::string& password)
    {
        return post("/invites/accept", support::object({{"token", invitation}, {"password", password}}));
    }

    /// The role of a member of Ada's workspace, as stored; empty if they are none.
    std::string role_of(const std::string& who)
    {
        return db.sql("SELECT role FROM memberships WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + who + "'");
    }

    void verify_address(const std::string& email)
    {
        db.sql("UPDATE users SET email_verified_at = now() WHERE email_normalized = '" + email + "'");
    }

    support::mailbox mails{server.mail_folder()};
};

} // namespace flows
