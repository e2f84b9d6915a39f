// The audit trail of the workspace.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/audit.hpp"

namespace handlers::audit {

/// Events that match all filters, newest first.
awaitable<answer<schemas::page<schemas::audit_row>>> list(call& c, query<schemas::audit_query> wanted);

} // namespace handlers::audit
