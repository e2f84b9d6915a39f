// The audit trail of the workspace.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/audit.hpp"

namespace handlers::audit {

/** Events, the newest first; every filter that is given has to be met. */
awaitable<answer<schemas::page<schemas::audit_row>>> list(call& c, query<schemas::audit_query> wanted);

} // namespace handlers::audit
