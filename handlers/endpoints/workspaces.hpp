// Workspaces: the caller's own, and how the one that the credential names is set up.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/workspace.hpp"

namespace handlers::workspaces {

/** The caller's, the oldest first. */
awaitable<answer<schemas::page<schemas::workspace_row>>> list(call& c, query<schemas::page_query> wanted);

/** A new one, of which the caller is the owner. The credential goes on to name the one that it names. */
awaitable<answer<schemas::workspace_row>> create(call& c, schemas::workspace_create body);

/** A token for another workspace of the caller's. The session goes on; a key cannot have one. */
awaitable<answer<schemas::workspace_token>> switch_to(call& c);

awaitable<answer<schemas::workspace_setup>> show(call& c);
awaitable<answer<schemas::workspace_setup>> update(call& c, schemas::workspace_patch body);

} // namespace handlers::workspaces
