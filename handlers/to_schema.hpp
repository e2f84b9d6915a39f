// Conversions from database rows to wire schemas.
#pragma once

#include "db/principals/principal.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/team.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/http/context.hpp"
#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"
#include "schemas/session.hpp"
#include "schemas/team.hpp"
#include "schemas/workspace.hpp"

#include <optional>

namespace handlers {

schemas::user to_user(const settings& config, const db::users::row& row);
schemas::workspace to_workspace(const db::workspaces::row& row);
schemas::workspace_row to_workspace_row(const db::memberships::workspace_membership& row,
                                        const db::principal& caller);
schemas::membership to_membership(const db::memberships::row& row);
schemas::team_row to_team_row(const db::team::row& member);
schemas::session_row to_session(const db::sessions::row& row, const db::principal& caller);
schemas::api_key_row to_api_key(const db::api_keys::row& row);

/// The response to minting, the only one with the secret.
schemas::api_key_created to_new_api_key(const db::api_keys::row& row, std::string secret);

/// The scopes, space-separated as in OAuth; `*` for a session.
std::string_view scopes_text(const db::principal& principal);

schemas::credential to_credential(const db::principal& principal);

schemas::role to_wire(db::role role);
db::role from_wire(schemas::role role);
schemas::join_policy to_wire(db::workspaces::join_policy policy);
db::workspaces::join_policy from_wire(schemas::join_policy policy);
db::api_keys::status from_wire(schemas::key_status status);

} // namespace handlers
