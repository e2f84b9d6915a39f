// People who have signed up with an address of the workspace's domain, and wait.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/team.hpp"

namespace handlers::join_requests {

awaitable<answer<schemas::page<schemas::join_request>>> list(call& c, query<schemas::page_query> wanted);

/** Let them in, as a member, once they have proved the address to be theirs. */
awaitable<answer<schemas::team_row>> approve(call& c);

awaitable<answer<nothing>> reject(call& c);

} // namespace handlers::join_requests
