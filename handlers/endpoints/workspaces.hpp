// Workspaces: the caller's own, and the settings of the current one.
#pragma once

#include "handlers/http/handler.hpp"
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

} // namespace handlers::workspaces
