// Workspaces: the caller's own, and the settings of the current one.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/workspace.hpp"

namespace handlers::workspaces {

/// The caller's workspaces, oldest first.
awaitable<answer<schemas::page<schemas::workspace_row>>> list(call& c, query<schemas::page_query> wanted);

/// Creates a workspace that the caller owns. The credential stays in its current workspace.
awaitable<answer<schemas::workspace_row>> create(call& c, schemas::workspace_create body);

/// Switches the caller's session to another of their workspaces. 403 for API keys.
awaitable<answer<schemas::workspace_token>> switch_to(call& c);

awaitable<answer<schemas::workspace_settings>> show(call& c);
awaitable<answer<schemas::workspace_settings>> update(call& c, schemas::workspace_patch body);

inline constexpr operation operations[] = {
    describes<&list>(tags::workspaces, "listWorkspaces", "List the caller's workspaces")
        .fails_with(codes::forbidden),
    describes<&create>(tags::workspaces, "createWorkspace", "Create a workspace", "The caller is its owner.")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&switch_to>(
        tags::workspaces, "switchWorkspace", "Get an access token for another workspace",
        "The session and its refresh token stay the same. Not available to API keys: a key belongs to one "
        "workspace.")
        .fails_with(codes::forbidden),
    describes<&show>(tags::workspaces, "showWorkspace", "Show the workspace of the credential")
        .fails_with(codes::not_found),
    describes<&update>(tags::workspaces, "updateWorkspace", "Change the workspace's settings")
        .fails_with(codes::not_found),
};

} // namespace handlers::workspaces
