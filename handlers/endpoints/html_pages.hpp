// HTML pages behind the links in emails. Each asks for confirmation before it acts.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::html_pages {

/** A page reads the token from the fragment of its URL in the browser, removes it from the address bar, and
    sends it by POST when the user presses the button: link scanners and prefetching consume nothing, and the
    token reaches no access log. No input of the request is written into the page. */
reply verify(call& c);
reply reset(call& c);
reply change_email(call& c);
reply invite(call& c);
reply unsubscribe(call& c);
reply claim(call& c);

inline constexpr operation operations[] = {
    describes<&verify>(
        tags::pages, "pageVerify", "Verify an email address",
        "The target of the link in the verification email. Opening it does not use the token; its button "
        "does.")
        .responds(200, "The page.", "text/html"),
    describes<&reset>(tags::pages, "pageReset", "Choose a new password",
                      "The target of the link in the password reset email.")
        .responds(200, "The page.", "text/html"),
    describes<&change_email>(tags::pages, "pageChangeEmail", "Confirm a changed email address",
                             "The target of the link that is sent to a new address.")
        .responds(200, "The page.", "text/html"),
    describes<&invite>(tags::pages, "pageInvite", "Accept an invite", "The target of the link of an invite.")
        .responds(200, "The page.", "text/html"),
    describes<&unsubscribe>(tags::pages, "pageUnsubscribe", "Unsubscribe from a kind of notice",
                            "The target of the link at the end of a notice.")
        .responds(200, "The page.", "text/html"),
    describes<&claim>(
        tags::pages, "pageClaim", "Get the secret of an API key",
        "The target of the one-time link to a key. Opening it does not use the token; its button does.")
        .responds(200, "The page.", "text/html"),
};

} // namespace handlers::html_pages
