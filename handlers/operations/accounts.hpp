// Operations of accounts, sessions, email addresses, passwords, sign-in with Google, and profiles.
#pragma once

#include "handlers/endpoints/accounts.hpp"
#include "handlers/endpoints/avatars.hpp"
#include "handlers/endpoints/email_address.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/endpoints/oauth_grants.hpp"
#include "handlers/endpoints/oidc_sign_in.hpp"
#include "handlers/endpoints/passwords.hpp"
#include "handlers/endpoints/profile.hpp"
#include "handlers/endpoints/sessions.hpp"
#include "handlers/openapi/operation.hpp"

namespace handlers::operations {

inline constexpr operation accounts[] = {
    describes<&accounts::signup>(
        tags::accounts, "signUp", "Create an account with its workspace",
        "Emails a link that verifies the address. Where verification is required, the answer is 202 whether "
        "or not the address is known.")
        .fails_with(codes::email_taken, codes::weak_password),
    describes<&accounts::login>(
        tags::accounts, "logIn", "Log in with a password",
        "An unknown address and a wrong password get the same answer in the same time.")
        .fails_with(codes::invalid_credentials, codes::account_disabled, codes::email_not_verified),

    describes<&sessions::refresh>(
        tags::sessions, "refreshToken", "Exchange a refresh token for new tokens",
        "A refresh token can be used once. Reuse ends the session, except for a retry of the same client "
        "within 10 s, which gets the same successor.")
        .fails_with(codes::unauthorized, codes::account_disabled, codes::email_not_verified,
                    codes::not_found),
    describes<&sessions::logout>(tags::sessions, "logOut", "End the session of the access token",
                                 "Once this has answered, no node accepts the session's tokens.")
        .fails_with(codes::not_a_session),
    describes<&sessions::list>(tags::sessions, "listSessions", "List the account's sessions")
        .fails_with(codes::forbidden),
    describes<&sessions::end_others>(tags::sessions, "endOtherSessions", "End all sessions but this one")
        .fails_with(codes::forbidden),
    describes<&sessions::end>(tags::sessions, "endSession", "End one session").fails_with(codes::forbidden),

    describes<&email_address::verify>(
        tags::email_and_passwords, "verifyEmail", "Verify an email address with the token of an email",
        "The token can be used once. Opening the link does not use it; this call does.")
        .fails_with(codes::invalid_token),
    describes<&email_address::resend>(
        tags::email_and_passwords, "resendVerification", "Send the verification email again",
        "To the caller's address or, without a credential, to the given one. The answer does not disclose "
        "whether that is known.")
        .fails_with(codes::unauthorized, codes::token_expired, codes::bad_request, codes::forbidden,
                    codes::not_found),
    describes<&email_address::change>(
        tags::email_and_passwords, "changeEmail", "Request a change of the email address",
        "The new address gets an email with the token that confirms it; the old one gets a notice.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found),
    describes<&email_address::confirm_change>(tags::email_and_passwords, "confirmEmailChange",
                                              "Confirm the change of an email address",
                                              "The old address and its tokens are no longer valid.")
        .fails_with(codes::invalid_token, codes::email_taken),
    describes<&passwords::forgot>(tags::email_and_passwords, "forgotPassword",
                                  "Request an email to reset the password",
                                  "Always 202: the answer does not disclose whether the address is known."),
    describes<&passwords::reset>(
        tags::email_and_passwords, "resetPassword", "Set a new password with the token of an email",
        "Ends every session of the account and, with `revoke_api_keys`, its API keys.")
        .fails_with(codes::invalid_token, codes::weak_password),
    describes<&passwords::change>(tags::email_and_passwords, "changePassword", "Change the password",
                                  "Ends the account's other sessions.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::weak_password),

    describes<&oidc_sign_in::authorize>(
        tags::google, "authorizeWithGoogle", "Start the sign-in with Google",
        "A redirect for a browser. `redirect_uri` must be on the operator's list; PKCE (RFC 7636) is "
        "required.")
        .fails_with(codes::not_found)
        .responds(302, "To Google."),
    describes<&oidc_sign_in::callback>(
        tags::google, "returnFromGoogle", "Redirect target of Google",
        "Redirects to the client's `redirect_uri` with a code that can be used once, within 60 s.")
        .fails_with(codes::not_found)
        .responds(302, "To the client, with `code` and `state`, or with `error` and `state`."),
    describes<&oidc_sign_in::exchange>(
        tags::google, "exchangeGoogleCode", "Exchange the code for tokens",
        "The code is that of the final redirect; `code_verifier` belongs to the `code_challenge` of its "
        "start.")
        .fails_with(codes::invalid_token, codes::not_found, codes::account_disabled,
                    codes::email_not_verified, codes::invalid_credentials, codes::conflict),
    describes<&oauth_grants::list>(tags::google, "listOauthGrants", "List the linked sign-in providers")
        .fails_with(codes::forbidden),
    describes<&oauth_grants::remove>(tags::google, "removeOauthGrant", "Unlink a sign-in provider",
                                     "The account's last sign-in method cannot be removed.")
        .fails_with(codes::forbidden, codes::conflict),

    describes<&profile::show>(tags::profile, "showMe", "Show the caller and its permissions",
                              "For an API key of a workspace, `user` is null.")
        .fails_with(codes::not_found),
    describes<&profile::update>(tags::profile, "updateMe", "Change the name, title, locale or time zone")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&profile::remove>(tags::profile, "deleteMe", "Delete the account",
                                "Rejected while the account owns a workspace that has other members.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::owner_protected,
                    codes::last_admin),
    describes<&avatars::replace>(
        tags::profile, "replaceAvatar", "Set the profile picture",
        "A PNG, JPEG or WebP of at most 2 MiB; the content decides, not the declared type.")
        .fails_with(codes::forbidden, codes::not_found, codes::payload_too_large,
                    codes::unsupported_media_type),
    describes<&avatars::remove>(tags::profile, "removeAvatar", "Remove the profile picture")
        .fails_with(codes::forbidden),
    describes<&avatars::show>(tags::profile, "showAvatar", "Show the picture of a user of a shared workspace")
        .responds(200, "The picture, as PNG, JPEG or WebP.", "image/*")
        .responds(304, "It is the one that `If-None-Match` names."),
    describes<&notifications::show>(tags::profile, "showNotifications", "Show the notification settings")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&notifications::update>(tags::profile, "updateNotifications",
                                      "Change the notification settings",
                                      "Security notices cannot be switched off.")
        .fails_with(codes::forbidden, codes::not_found),
};

} // namespace handlers::operations
