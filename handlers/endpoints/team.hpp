// The people of the workspace: who belongs to it, and as what.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/team.hpp"
#include "schemas/workspace.hpp"

namespace handlers::team {

/** Members, then those invited. */
awaitable<answer<schemas::page<schemas::team_row>>> list(call& c, query<schemas::team_query> wanted);

/** Give a member a role, which counts from their very next request on. The owner and the last admin keep
 * theirs. */
awaitable<answer<schemas::team_row>> set_role(call& c, schemas::role_change body);

/** End a membership, with the keys and sessions for this workspace. Members may end their own. */
awaitable<answer<nothing>> remove(call& c);

/** The keys that would end with a membership. */
awaitable<answer<schemas::page<schemas::api_key_row>>> preview_removal(call& c,
                                                                       query<schemas::page_query> wanted);

/** Make another member the owner, who proves to be it once more. */
awaitable<answer<schemas::workspace>> transfer_ownership(call& c, schemas::ownership_transfer body);

/** Every key of the workspace. */
awaitable<answer<schemas::page<schemas::team_api_key>>> list_keys(call& c,
                                                                  query<schemas::api_key_query> wanted);

} // namespace handlers::team
