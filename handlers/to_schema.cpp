#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <string>

namespace handlers {

schemas::role to_wire(db::role role)
{
    switch (role) {
    case db::role::admin:
        return schemas::role::admin;
    case db::role::manager:
        return schemas::role::manager;
    case db::role::member:
        break;
    }
    return schemas::role::member;
}

db::role from_wire(schemas::role role)
{
    switch (role) {
    case schemas::role::admin:
        return db::role::admin;
    case schemas::role::manager:
        return db::role::manager;
    case schemas::role::member:
        break;
    }
    return db::role::member;
}

db::api_keys::status from_wire(schemas::key_status status)
{
    switch (status) {
    case schemas::key_status::active:
        return db::api_keys::status::active;
    case schemas::key_status::revoked:
        return db::api_keys::status::revoked;
    case schemas::key_status::expired:
        break;
    }
    return db::api_keys::status::expired;
}

schemas::join_policy to_wire(db::workspaces::join_policy policy)
{
    switch (policy) {
    case db::workspaces::join_policy::closed:
        return schemas::join_policy::closed;
    case db::workspaces::join_policy::approval:
        return schemas::join_policy::approval;
    case db::workspaces::join_policy::open:
        break;
    }
    return schemas::join_policy::open;
}

db::workspaces::join_policy from_wire(schemas::join_policy policy)
{
    switch (policy) {
    case schemas::join_policy::closed:
        return db::workspaces::join_policy::closed;
    case schemas::join_policy::approval:
        return db::workspaces::join_policy::approval;
    case schemas::join_policy::open:
        break;
    }
    return db::workspaces::join_policy::open;
}

schemas::user to_user(const settings& config, const db::users::row& row)
{
    schemas::user out;
    out.id = row.id;
    out.email = row.email;
    out.name = row.name;
    out.title = row.title;
    out.email_verified = row.email_verified_at.has_value();
    if (row.avatar_version)
        out.avatar_url = config.public_url + "/api/v1/users/avatars/" + to_string(row.id) +
                         "?v=" + std::to_string(*row.avatar_version);
    out.locale = row.locale;
    out.timezone = row.timezone;
    out.created_at = row.created_at;
    return out;
}

schemas::workspace to_workspace(const db::workspaces::row& row)
{
    schemas::workspace out;
    out.id = row.id;
    out.name = row.name;
    out.owner_id = row.owner_id;
    out.created_at = row.created_at;
    return out;
}

schemas::workspace_row to_workspace_row(const db::memberships::workspace_membership& row,
                                        const db::principal& caller)
{
    schemas::workspace_row out;
    out.id = row.workspace.id;
    out.name = row.workspace.name;
    out.owner_id = row.workspace.owner_id;
    out.created_at = row.workspace.created_at;
    out.role = to_wire(row.membership.role);
    out.is_owner = row.membership.is_owner;
    out.joined_at = row.membership.joined_at;
    out.current = caller.workspace_id == row.workspace.id;
    return out;
}

schemas::membership to_membership(const db::memberships::row& row)
{
    schemas::membership out;
    out.role = to_wire(row.role);
    out.is_owner = row.is_owner;
    out.joined_at = row.joined_at;
    return out;
}

schemas::team_row to_team_row(const db::team::row& member)
{
    schemas::team_row out;
    out.user_id = member.user_id;
    out.email = member.email;
    out.name = member.name;
    out.role = to_wire(member.role);
    out.is_owner = member.is_owner;
    out.joined_at = member.joined_at;
    return out;
}

schemas::session_row to_session(const db::sessions::row& row, const db::principal& caller)
{
    schemas::session_row out;
    out.id = row.id;
    out.created_at = row.created_at;
    out.last_seen_at = row.last_seen_at;
    out.ip = row.ip;
    out.user_agent = row.user_agent;
    out.current = row.id == caller.credential_id;
    out.kind = row.kind == db::sessions::session_kind::browser ? schemas::session_kind::browser
                                                               : schemas::session_kind::token;
    return out;
}

schemas::api_key_row to_api_key(const db::api_keys::row& row)
{
    schemas::api_key_row out;
    out.id = row.id;
    out.prefix = row.prefix;
    out.name = row.name;
    out.scopes = row.scopes;
    out.owner = row.user_id ? schemas::key_owner::user : schemas::key_owner::workspace;
    out.created_at = row.created_at;
    out.expires_at = row.expires_at;
    out.last_used_at = row.last_used_at;
    out.revoked_at = row.revoked_at;
    return out;
}

schemas::api_key_created to_new_api_key(const db::api_keys::row& row, std::string secret)
{
    schemas::api_key_created out;
    out.id = row.id;
    out.prefix = row.prefix;
    out.name = row.name;
    out.secret = std::move(secret);
    out.scopes = row.scopes;
    out.owner = row.user_id ? schemas::key_owner::user : schemas::key_owner::workspace;
    out.created_at = row.created_at;
    out.expires_at = row.expires_at;
    return out;
}

std::string_view scopes_text(const db::principal& principal)
{
    return principal.kind == db::principal::kind_type::session ? "*" : principal.scopes.text();
}

schemas::credential to_credential(const db::principal& principal)
{
    schemas::credential out;
    out.id = principal.credential_id;
    if (principal.kind == db::principal::kind_type::session) {
        out.scopes.emplace_back("*");
        return out;
    }
    out.type = schemas::credential_type::api_key;
    out.prefix = std::string(principal.prefix.data(), principal.prefix.size());
    out.scopes = principal.scopes;
    return out;
}

} // namespace handlers
