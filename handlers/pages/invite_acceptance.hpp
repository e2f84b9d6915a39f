// Acceptance of an invite for who is signed in: by the form of /invite, and after a sign-in through the
// provider.
#pragma once

#include "handlers/authn/session_cookie.hpp"
#include "handlers/http/handler.hpp"
#include "schemas/invite.hpp"

#include <optional>
#include <string>

namespace handlers::pages {

class form_data;

/// The invite with the token of the form, if it is open.
awaitable<result<schemas::invite_preview>> find_open_invite(call& c, const form_data& form);

/// Accepts the invite with the token of the form. @return why it could not be accepted
awaitable<std::optional<problem>> accept_by_session(call& c, const browser_session& session,
                                                    const form_data& form);

/// Where a new member goes.
std::string joined_path(const call& c);

} // namespace handlers::pages
