// /invite: an invite, shown and accepted.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

/// Asks for the link's token, which the script fills in and sends.
reply invite(call& c);
/** Shows the invite by invite_acceptance::preview, and accepts it by invite_acceptance::accept: with a
   password, with the session of this browser, or through the provider. */
awaitable<reply> submit_invite(call& c);

inline constexpr operation invite_operations[] = {
    describes<&invite>(tags::pages, "pageInvite", "Accept an invite", "The target of the link of an invite.")
        .as_page(),
    describes<&submit_invite>(tags::pages, "submitInvite",
                              "Show or accept the invite by the form of that page")
        .as_form(),
};

} // namespace handlers::pages
