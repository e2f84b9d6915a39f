// Invites into the workspace: created, resent, cancelled.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/invite.hpp"

#include <variant>

namespace handlers::invites {

/** Invites several people at once, each by an email with a link. 201 if any was invited; else 409, or 403 if
    the caller may grant none of the roles. */
awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
create(call& c, schemas::invite_batch body);

/// Open invites, oldest first.
awaitable<answer<schemas::page<schemas::invite_row>>> list(call& c, query<schemas::page_query> wanted);

/// Emails a new link. Earlier links become invalid.
awaitable<answer<no_content>> resend(call& c);

awaitable<answer<no_content>> cancel(call& c);

} // namespace handlers::invites
