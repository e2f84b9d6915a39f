// Email addresses: verified, and changed to another.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/account.hpp"

namespace handlers::email_address {

/** Consumes a token from an email: the address is verified. With a session of the account or its password,
    the account is proved as well; without, it joins no workspace by it, and a later proof replaces it. 400
    invalid_token, 403 invalid_credentials. */
awaitable<answer<schemas::verified_email>> verify(call& c, schemas::email_verification body);

/// Consumes such a token for an owner of the address who did not make the account: the account ends, and the
/// address is free. 400 invalid_token.
awaitable<answer<no_content>> disown(call& c, schemas::email_token body);

/// Emails another link to an address, or to the caller's own. 202, whether or not there is anything to
/// verify.
awaitable<answer<no_content>> resend(call& c, std::optional<schemas::resend_verification> body);

/** Emails a link to the caller's new address, and a notice to the current one. 202, also if the address is
    taken; then its owner is notified instead. */
awaitable<answer<no_content>> change(call& c, schemas::email_change body);

/// Consumes the token of such a link: the account has the new address, proved as by verify(). 400
/// invalid_token, 403 invalid_credentials, 409 email_taken.
awaitable<answer<schemas::verified_email>> confirm_change(call& c, schemas::email_verification body);

inline constexpr operation operations[] = {
    describes<&verify>(
        tags::email_and_passwords, "verifyEmail", "Verify an email address with the token of an email",
        "The token can be used once. Opening the link does not use it; this call does. With a "
        "session of the account in `Authorization`, with its password, or with the code of a "
        "sign-in through the provider that it was made with (`provider_code` and "
        "`code_verifier`), the account is proved. Without, the address is verified for it and no "
        "more: it joins no workspace by its domain, and a later password reset or sign-in with a "
        "provider replaces it.")
        .fails_with(codes::invalid_token, codes::invalid_credentials.with_status(403)),
    describes<&disown>(tags::email_and_passwords, "disownEmail",
                       "Report that an account with this address is not one's own",
                       "With the token of the verification email. The account ends, and the address is free.")
        .fails_with(codes::invalid_token),
    describes<&resend>(
        tags::email_and_passwords, "resendVerification", "Send the verification email again",
        "To the caller's address or, without a credential, to the given one. The answer does not disclose "
        "whether that is known.")
        .fails_with(codes::unauthorized, codes::token_expired, codes::bad_request, codes::forbidden,
                    codes::not_found),
    describes<&change>(
        tags::email_and_passwords, "changeEmail", "Request a change of the email address",
        "The new address gets an email with the token that confirms it; the old one gets a notice.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found),
    describes<&confirm_change>(tags::email_and_passwords, "confirmEmailChange",
                               "Confirm the change of an email address",
                               "The old address and its tokens are no longer valid. The session or the "
                               "password proves the account, as in `verifyEmail`.")
        .fails_with(codes::invalid_token, codes::invalid_credentials.with_status(403), codes::email_taken),
};

} // namespace handlers::email_address
