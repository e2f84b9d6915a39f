// Invites as the people see them who are invited: looked at, accepted.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/account.hpp"
#include "schemas/invite.hpp"

#include <variant>

namespace handlers::acceptances {

using over = with_status<schemas::invite_over>;

/** What the invite is. Costs it nothing. */
awaitable<std::variant<schemas::invite_preview, over, problem>> preview(call& c, schemas::mailed_token body);

/** Become a member, and be signed in to the workspace. A new person chooses a password, and is verified by
   the link; one with an account proves to be its owner, by a session or by the password: nobody is added
   silently. */
awaitable<std::variant<schemas::invite_accepted, over, problem>> accept(call& c, schemas::invite_accept body);

} // namespace handlers::acceptances
