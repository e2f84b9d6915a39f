// Members of a workspace, join requests, and the API keys of a team.
#pragma once

#include "schemas/api_key.hpp"
#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"
#include "schemas/page.hpp"

namespace schemas {

enum class team_status { active, pending };
BOOST_DESCRIBE_ENUM(team_status, active, pending)

/// A member (with `user_id`), or a pending invite (with `invite_id`, and `user_id` null).
struct team_row {
    std::optional<boost::uuids::uuid> user_id;
    std::string email;
    std::optional<std::string> name;
    schemas::role role = schemas::role::member;
    bool is_owner = false;
    team_status status = team_status::active;
    std::optional<timestamp> joined_at;
    omittable<boost::uuids::uuid> invite_id;
};
BOOST_DESCRIBE_STRUCT(team_row, (), (user_id, email, name, role, is_owner, status, joined_at, invite_id))

/// `q` is searched in names and email addresses.
struct team_query {
    page_limit limit;
    omittable<std::string> cursor;
    omittable<schemas::role> role;
    omittable<team_status> status;
    omittable<text<1, 100>> q;
};
BOOST_DESCRIBE_STRUCT(team_query, (), (limit, cursor, role, status, q))

struct role_change {
    schemas::role role = schemas::role::member;
};
BOOST_DESCRIBE_STRUCT(role_change, (), (role))

/// The password may be absent only if the account has none.
struct ownership_transfer {
    boost::uuids::uuid user_id{};
    std::optional<existing_password> password;
};
BOOST_DESCRIBE_STRUCT(ownership_transfer, (), (user_id, password))

/** A user who signed up with an email address of the workspace's domain. Can be approved once the address is
    verified. */
struct join_request {
    boost::uuids::uuid user_id{};
    std::string email;
    std::optional<std::string> name;
    bool email_verified = false;
    timestamp requested_at{};
};
BOOST_DESCRIBE_STRUCT(join_request, (), (user_id, email, name, email_verified, requested_at))

/// An API key of a workspace, owned by a user (`user_id`) or by the workspace, with a `role` of its own.
struct team_api_key {
    boost::uuids::uuid id{};
    std::string prefix;
    std::string name;
    std::vector<std::string> scopes;
    key_owner owner = key_owner::user;
    std::optional<boost::uuids::uuid> user_id;
    std::optional<schemas::role> role;
    std::optional<boost::uuids::uuid> created_by;
    timestamp created_at{};
    std::optional<timestamp> expires_at;
    std::optional<timestamp> last_used_at;
    std::optional<timestamp> revoked_at;
};
BOOST_DESCRIBE_STRUCT(team_api_key, (),
                      (id, prefix, name, scopes, owner, user_id, role, created_by, created_at, expires_at,
                       last_used_at, revoked_at))

} // namespace schemas
