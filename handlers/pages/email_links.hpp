// /verify and /email-change: the pages behind the links that prove an address.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

/** Opening a page uses up nothing: link scanners do it too. The link's token is in the fragment of the URL,
    which browsers send to no server; the script moves it into the form, and without the script a person
   pastes the link. The form's button acts, by POST. */
awaitable<reply> verify(call& c);
/** "It was me", by password, by the session of this browser, or by the provider; or "it was not me", which
    closes the account. By email_address::verify and disown. */
awaitable<reply> submit_verify(call& c);

reply change_email(call& c);
/// By email_address::confirm_change.
awaitable<reply> submit_change_email(call& c);

inline constexpr operation email_link_operations[] = {
    describes<&verify>(
        tags::pages, "pageVerify", "Verify an email address",
        "The target of the link in the verification email. Opening it does not use the token; its "
        "button does.")
        .as_page(),
    describes<&submit_verify>(tags::pages, "submitVerify", "Verify the address by the form of that page")
        .as_form(),
    describes<&change_email>(tags::pages, "pageChangeEmail", "Confirm a changed email address",
                             "The target of the link that is sent to a new address.")
        .as_page(),
    describes<&submit_change_email>(tags::pages, "submitChangeEmail",
                                    "Change the address by the form of that page")
        .as_form(),
};

} // namespace handlers::pages
