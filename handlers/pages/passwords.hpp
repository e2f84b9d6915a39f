// /forgot, /reset and /check-mail: a forgotten password, and what to do until the email arrives.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

reply forgot(call& c);
/// Sends the link by passwords::forgot. The answer is the same for an unknown address.
awaitable<reply> submit_forgot(call& c);

/// The target of the link in that email.
reply reset(call& c);
/// Changes the password by passwords::reset.
awaitable<reply> submit_reset(call& c);

/// What a person is shown after an email was sent: `for` is `sign-up` or `reset`.
reply check_mail(call& c);
/// Sends the verification email again, by email_address::resend.
awaitable<reply> submit_check_mail(call& c);

inline constexpr operation password_operations[] = {
    describes<&forgot>(tags::pages, "pageForgot", "Ask for a new password", "A page for browsers.").as_page(),
    describes<&submit_forgot>(tags::pages, "submitForgot", "Send the link by the form of that page")
        .as_form(),
    describes<&reset>(tags::pages, "pageReset", "Choose a new password",
                      "The target of the link in the password reset email.")
        .as_page(),
    describes<&submit_reset>(tags::pages, "submitReset", "Set the password by the form of that page")
        .as_form(),
    describes<&check_mail>(tags::pages, "pageCheckMail", "Shown after an email was sent",
                           "A page for browsers.")
        .as_page(),
    describes<&submit_check_mail>(tags::pages, "submitCheckMail",
                                  "Send the email again by the form of that page")
        .as_form(),
};

} // namespace handlers::pages
