// The team: members of the current workspace, their roles and API keys.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/team.hpp"
#include "schemas/workspace.hpp"

namespace handlers::team {

/// Members, then open invites.
awaitable<answer<schemas::page<schemas::team_row>>> list(call& c, query<schemas::team_query> wanted);

/// Changes a member's role, from their next request on. 409 for the owner and the last admin.
awaitable<answer<schemas::team_row>> set_role(call& c, schemas::role_change body);

/// Ends a membership, with its API keys and tokens. Members may end their own.
awaitable<answer<no_content>> remove(call& c);

/// The API keys that would end with a membership.
awaitable<answer<schemas::page<schemas::api_key_row>>> preview_removal(call& c,
                                                                       query<schemas::page_query> wanted);

/// Makes another member the owner. Requires reauthentication of the current owner.
awaitable<answer<schemas::workspace>> transfer_ownership(call& c, schemas::ownership_transfer body);

/// Every API key of the workspace.
awaitable<answer<schemas::page<schemas::team_api_key>>> list_keys(call& c,
                                                                  query<schemas::api_key_query> wanted);

inline constexpr operation operations[] = {
    describes<&list>(tags::team, "listTeam", "List members and pending invites"),
    describes<&set_role>(tags::team, "setRole", "Change a member's role",
                         "Takes effect with the member's next request, on every node.")
        .fails_with(codes::last_admin, codes::owner_protected),
    describes<&remove>(
        tags::team, "removeMember", "Remove a member, or leave",
        "Needs `team:remove`, except for the caller's own membership. Ends the member's tokens and API "
        "keys for this workspace; the sessions go on in other workspaces.")
        .fails_with(codes::forbidden_scope, codes::last_admin, codes::owner_protected),
    describes<&preview_removal>(
        tags::team, "previewRemoval", "List the API keys that a removal would revoke",
        "The keys that the member holds for this workspace. Needs `team:remove`, except for the caller's own "
        "membership.")
        .fails_with(codes::forbidden_scope),
    describes<&transfer_ownership>(tags::team, "transferOwnership", "Transfer the ownership of the workspace",
                                   "Only for its owner.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::conflict),
    describes<&list_keys>(
        tags::team, "listTeamApiKeys", "List all API keys of the workspace",
        "`expires_before` lists the active keys that end before it, and none with another `status`."),
};

} // namespace handlers::team
