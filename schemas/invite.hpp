// Invites: create, list, preview, accept.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"
#include "schemas/page.hpp"
#include "schemas/user.hpp"
#include "schemas/workspace.hpp"

namespace schemas {

struct invite_draft {
    email_address email;
    schemas::role role = schemas::role::member;
};
BOOST_DESCRIBE_STRUCT(invite_draft, (), (email, role))

struct invite_batch {
    bounded_list<invite_draft, 1, 100> invites;
};
BOOST_DESCRIBE_STRUCT(invite_batch, (), (invites))

enum class invite_result { created, already_member, already_invited, forbidden_role };
BOOST_DESCRIBE_ENUM(invite_result, created, already_member, already_invited, forbidden_role)

/// The result for one entry of a batch; `invite_id` only if an invite was created.
struct invite_outcome {
    std::string email;
    schemas::role role = schemas::role::member;
    invite_result result = invite_result::created;
    omittable<boost::uuids::uuid> invite_id;
};
BOOST_DESCRIBE_STRUCT(invite_outcome, (), (email, role, result, invite_id))

struct invite_outcomes {
    std::vector<invite_outcome> items;
};
BOOST_DESCRIBE_STRUCT(invite_outcomes, (), (items))

/// A batch without any created invite. `required` is the missing permission if the role was the reason for
/// all.
struct invites_refused {
    std::string detail;
    std::string code;
    omittable<std::string> required;
    std::vector<invite_outcome> items;
};
BOOST_DESCRIBE_STRUCT(invites_refused, (), (detail, code, required, items))

/// Resending an expired invite makes it pending again.
enum class invite_status { pending, expired };
BOOST_DESCRIBE_ENUM(invite_status, pending, expired)

struct invite_row {
    boost::uuids::uuid id{};
    std::string email;
    schemas::role role = schemas::role::member;
    invite_status status = invite_status::pending;
    std::optional<boost::uuids::uuid> invited_by;
    timestamp created_at{};
    timestamp sent_at{};
    timestamp expires_at{};
};
BOOST_DESCRIBE_STRUCT(invite_row, (), (id, email, role, status, invited_by, created_at, sent_at, expires_at))

/// `has_account`: accepting requires a login instead of a new password. `has_unproved_account`: an account
/// was made with the address, and its maker never proved to own it. Accepting with its password keeps it;
/// with another, the invitee gets a new account, and that one loses the address.
struct invite_preview {
    std::string email;
    schemas::role role = schemas::role::member;
    std::string workspace_name;
    std::optional<std::string> invited_by;
    timestamp expires_at{};
    bool has_account = false;
    omittable<bool> has_unproved_account;
};
BOOST_DESCRIBE_STRUCT(invite_preview, (),
                      (email, role, workspace_name, invited_by, expires_at, has_account,
                       has_unproved_account))

/** A new user chooses a password; an existing one sends theirs, or the access token of a session in the
    header. */
struct invite_accept {
    opaque_token token;
    std::optional<name_text<1, 100>> name;
    std::optional<existing_password> password;
};
BOOST_DESCRIBE_STRUCT(invite_accept, (), (token, name, password))

/// A session in the workspace. The refresh token is omitted if the caller's own session continues.
struct invite_accepted {
    std::string access_token;
    schemas::token_type token_type = schemas::token_type::bearer;
    std::int64_t expires_in = 0;
    omittable<std::string> refresh_token;
    schemas::user user;
    schemas::workspace workspace;
    schemas::membership membership;
};
BOOST_DESCRIBE_STRUCT(invite_accepted, (),
                      (access_token, token_type, expires_in, refresh_token, user, workspace, membership))

/// 400: why the invite of the token is closed.
enum class invite_closed_reason { accepted, cancelled, replaced, expired };
BOOST_DESCRIBE_ENUM(invite_closed_reason, accepted, cancelled, replaced, expired)

struct invite_closed {
    std::string detail;
    std::string code = "invalid_token";
    invite_closed_reason reason = invite_closed_reason::expired;
};
BOOST_DESCRIBE_STRUCT(invite_closed, (), (detail, code, reason))

} // namespace schemas
