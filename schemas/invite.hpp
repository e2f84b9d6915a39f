// Invites: made, listed, looked at, accepted.
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

/** What became of one line of a batch; `invite_id` is there if it was created. */
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

/** A batch of which nothing was created. `required` is there if the role was what stood in the way of all. */
struct invites_refused {
    std::string detail;
    std::string code;
    omittable<std::string> required;
    std::vector<invite_outcome> items;
};
BOOST_DESCRIBE_STRUCT(invites_refused, (), (detail, code, required, items))

/** An expired invite is good again once it is sent again. */
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

/** What the link's bearer is shown. `has_account`: accepting it takes signing in, not choosing a password. */
struct invite_preview {
    std::string email;
    schemas::role role = schemas::role::member;
    std::string workspace_name;
    std::optional<std::string> invited_by;
    timestamp expires_at{};
    bool has_account = false;
};
BOOST_DESCRIBE_STRUCT(invite_preview, (), (email, role, workspace_name, invited_by, expires_at, has_account))

/** A new person chooses a password; one with an account sends theirs, or a session's token in the header. */
struct invite_accept {
    text<1, 256> token;
    std::optional<name_text<1, 100>> name;
    std::optional<existing_password> password;
};
BOOST_DESCRIBE_STRUCT(invite_accept, (), (token, name, password))

/** Signed in to the workspace. The refresh token is left out where the caller's own session goes on. */
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

/** 400: what has become of the invite whose token was sent. */
enum class invite_end { accepted, cancelled, replaced, expired };
BOOST_DESCRIBE_ENUM(invite_end, accepted, cancelled, replaced, expired)

struct invite_over {
    std::string detail;
    std::string code = "invalid_token";
    invite_end reason = invite_end::expired;
};
BOOST_DESCRIBE_STRUCT(invite_over, (), (detail, code, reason))

} // namespace schemas
