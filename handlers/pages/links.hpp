// /unsubscribe, /claim and /done.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

/** Asks before it unsubscribes: a link scanner must not. The token is in the fragment, or in the query of the
    link in the header List-Unsubscribe. */
reply unsubscribe(call& c);
/** By notifications::unsubscribe. Not at /unsubscribe, where mail programs post across sites with one click
    (RFC 8058). */
awaitable<reply> submit_unsubscribe(call& c);

/// Asks before it spends the link.
reply claim(call& c);
/// Shows the secret once, by api_keys::claim.
awaitable<reply> submit_claim(call& c);

/// Says what a form has done, in place of the form: reloading it repeats nothing. `what` is one of a few
/// words.
reply done(call& c);

inline constexpr operation link_operations[] = {
    describes<&unsubscribe>(tags::pages, "pageUnsubscribe", "Unsubscribe from a kind of notice",
                            "The target of the link at the end of a notice.")
        .as_page(),
    describes<&submit_unsubscribe>(tags::pages, "submitUnsubscribe", "Unsubscribe by the form of that page")
        .as_form(),
    describes<&claim>(
        tags::pages, "pageClaim", "Get the secret of an API key",
        "The target of the one-time link to a key. Opening it does not use the token; its button "
        "does.")
        .as_page(),
    describes<&submit_claim>(tags::pages, "submitClaim", "Show the secret by the form of that page")
        .as_form(),
    describes<&done>(tags::pages, "pageDone", "What a form has done", "A page for browsers.").as_page(),
};

} // namespace handlers::pages
