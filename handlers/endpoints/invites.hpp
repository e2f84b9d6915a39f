// Invites into the workspace: made, sent again, cancelled.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/invite.hpp"

#include <variant>

namespace handlers::invites {

/** Invite several people at once, each by a mail with a link. 201 if any was invited; else 409, or 403 if the
   role stood in the way of all. */
awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
create(call& c, schemas::invite_batch body);

/** Those that are not over, the oldest first. */
awaitable<answer<schemas::page<schemas::invite_row>>> list(call& c, query<schemas::page_query> wanted);

/** Another mail with a new link; the links before are void. */
awaitable<answer<nothing>> resend(call& c);

awaitable<answer<nothing>> cancel(call& c);

} // namespace handlers::invites
