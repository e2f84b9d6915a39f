// Workspaces, memberships, and workspace settings.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"
#include "schemas/page.hpp"

namespace schemas {

struct workspace {
    boost::uuids::uuid id{};
    std::string name;
    boost::uuids::uuid owner_id{};
    timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(workspace, (), (id, name, owner_id, created_at))

struct membership {
    schemas::role role = schemas::role::member;
    bool is_owner = false;
    timestamp joined_at{};
};
BOOST_DESCRIBE_STRUCT(membership, (), (role, is_owner, joined_at))

/// A workspace of the caller, with their membership. `current`: the credential belongs to this workspace.
struct workspace_row {
    boost::uuids::uuid id{};
    std::string name;
    boost::uuids::uuid owner_id{};
    timestamp created_at{};
    schemas::role role = schemas::role::member;
    bool is_owner = false;
    timestamp joined_at{};
    bool current = false;
};
BOOST_DESCRIBE_STRUCT(workspace_row, (), (id, name, owner_id, created_at, role, is_owner, joined_at, current))

struct workspace_create {
    name_text<1, 100> name;
};
BOOST_DESCRIBE_STRUCT(workspace_create, (), (name))

/// How users who sign up with an email address of the workspace's domain may join.
enum class join_policy { closed, approval, open };
BOOST_DESCRIBE_ENUM(join_policy, closed, approval, open)

/// `join_domain_verified`: an admin has a verified email address of this domain, so the policy applies.
struct workspace_settings {
    boost::uuids::uuid id{};
    std::string name;
    boost::uuids::uuid owner_id{};
    timestamp created_at{};
    bool members_can_mint_keys = true;
    schemas::join_policy join_policy = schemas::join_policy::closed;
    std::optional<std::string> join_domain;
    bool join_domain_verified = false;
};
BOOST_DESCRIBE_STRUCT(workspace_settings, (),
                      (id, name, owner_id, created_at, members_can_mint_keys, join_policy, join_domain,
                       join_domain_verified))

/// Null removes the domain; the other settings cannot be removed.
struct workspace_patch {
    omittable<name_text<1, 100>> name;
    omittable<bool> members_can_mint_keys;
    omittable<schemas::join_policy> join_policy;
    clearable<domain_name> join_domain;
};
BOOST_DESCRIBE_STRUCT(workspace_patch, (), (name, members_can_mint_keys, join_policy, join_domain))

/// An access token for another workspace. The session and its refresh token stay the same.
struct workspace_token {
    std::string access_token;
    schemas::token_type token_type = schemas::token_type::bearer;
    std::int64_t expires_in = 0;
    schemas::workspace workspace;
    schemas::membership membership;
};
BOOST_DESCRIBE_STRUCT(workspace_token, (), (access_token, token_type, expires_in, workspace, membership))

} // namespace schemas
