// The team: members of the current workspace, their roles and API keys.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/team.hpp"
#include "schemas/workspace.hpp"

namespace handlers::team {

/// Members, then open invites.
awaitable<answer<schemas::page<schemas::team_row>>> list(call& c, query<schemas::team_query> wanted);

/// Changes a member's role, from their next request on. 409 for the owner and the last admin.
awaitable<answer<schemas::team_row>> set_role(call& c, schemas::role_change body);

/// Ends a membership, with its API keys and sessions. Members may end their own.
awaitable<answer<no_content>> remove(call& c);

/// The API keys that would end with a membership.
awaitable<answer<schemas::page<schemas::api_key_row>>> preview_removal(call& c,
                                                                       query<schemas::page_query> wanted);

/// Makes another member the owner. Requires reauthentication of the current owner.
awaitable<answer<schemas::workspace>> transfer_ownership(call& c, schemas::ownership_transfer body);

/// Every API key of the workspace.
awaitable<answer<schemas::page<schemas::team_api_key>>> list_keys(call& c,
                                                                  query<schemas::api_key_query> wanted);

} // namespace handlers::team
