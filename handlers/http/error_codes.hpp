// Error codes of the API: one list, shared by the handlers and the OpenAPI document.
#pragma once

#include <string_view>

namespace handlers {

/** A machine-readable error code with the status it is sent with and a default text for people.
    Only the list below can construct one: a code outside it does not compile. */
class problem_code {
public:
    /// The code on the wire.
    constexpr std::string_view name() const { return name_; }
    constexpr unsigned status() const { return status_; }
    constexpr std::string_view detail() const { return detail_; }

    /// The same code sent with another status.
    constexpr problem_code with_status(unsigned status) const { return {name_, status, detail_}; }

    /// Whether the codes are the same; their statuses may differ.
    constexpr bool operator==(const problem_code& other) const { return name_ == other.name_; }

private:
    friend struct codes;

    constexpr problem_code(std::string_view name, unsigned status, std::string_view detail)
        : name_(name), status_(status), detail_(detail)
    {}

    std::string_view name_;
    unsigned status_;
    std::string_view detail_;
};

/// The list. The macro makes the name of a constant the code on the wire.
struct codes {
#define LATCHKEY_CODE(name, ...)                                                                             \
    static constexpr problem_code name { #name, __VA_ARGS__ }
    LATCHKEY_CODE(bad_request, 400, "The request is not well-formed.");
    LATCHKEY_CODE(malformed_json, 400, "The body is not well-formed JSON.");
    /// Of the endpoints of OAuth, in OAuth's own shape.
    LATCHKEY_CODE(invalid_request, 400, "A parameter is missing, repeated or malformed.");
    LATCHKEY_CODE(invalid_cursor, 400, "The cursor was not issued for this list.");
    /// Of a one-time token. A rejected bearer credential is `unauthorized`.
    LATCHKEY_CODE(invalid_token, 400,
                  "The token is no longer valid: it was used, replaced, or has expired. Request a new one.");
    LATCHKEY_CODE(not_a_session, 400, "An API key has no session; revoke it instead.");
    LATCHKEY_CODE(unauthorized, 401, "A credential is required.");
    LATCHKEY_CODE(token_expired, 401, "The credential has expired.");
    /// 401 at login, where wrong passwords and unknown addresses get the same answer; 403 for an
    /// authenticated caller who gave a wrong password.
    LATCHKEY_CODE(invalid_credentials, 401, "The email address or the password is incorrect.");
    LATCHKEY_CODE(forbidden, 403, "The caller may not do this.");
    LATCHKEY_CODE(forbidden_scope, 403, "The caller's role or scopes lack a permission.");
    LATCHKEY_CODE(reauthentication_required, 403,
                  "Sign in again first: this requires a session less than five minutes old.");
    /// 409 where the caller is verified but the account to act on is not.
    LATCHKEY_CODE(email_not_verified, 403, "The account's email address has not been verified.");
    LATCHKEY_CODE(pending_approval, 403, "The request to join the workspace has not been approved yet.");
    LATCHKEY_CODE(account_disabled, 403, "The account has been disabled.");
    LATCHKEY_CODE(wrong_account, 403, "The invite is for another email address than this account's.");
    /// Of calls that use the browser's cookie.
    LATCHKEY_CODE(cross_site_request, 403, "The request was not made by a page of this site.");
    LATCHKEY_CODE(
        https_required, 403,
        "Browsers can only sign in over HTTPS: the server's public URL has to be https, or http on a "
        "loopback address.");
    LATCHKEY_CODE(not_found, 404, "Not found.");
    LATCHKEY_CODE(method_not_allowed, 405, "Method not allowed.");
    LATCHKEY_CODE(email_taken, 409, "An account with this email address exists.");
    /// Of a sign-in through a provider that is not authoritative for the address.
    LATCHKEY_CODE(link_required, 409,
                  "An account with this email address exists, and the provider does not prove that it is "
                  "yours. Sign in to it with its password, and link the provider from there.");
    LATCHKEY_CODE(already_member, 409, "You are already a member of the workspace.");
    LATCHKEY_CODE(last_admin, 409, "A workspace must keep at least one admin.");
    LATCHKEY_CODE(owner_protected, 409, "The owner must transfer the ownership of the workspace first.");
    LATCHKEY_CODE(already_rotated, 409, "The key has been rotated already.");
    LATCHKEY_CODE(conflict, 409, "The request conflicts with the current state.");
    LATCHKEY_CODE(payload_too_large, 413, "The body is too large.");
    LATCHKEY_CODE(unsupported_media_type, 415, "The body has the wrong content type.");
    LATCHKEY_CODE(validation_error, 422, "");
    LATCHKEY_CODE(weak_password, 422,
                  "The password is too easy to guess. Use several unrelated words; avoid names, dates and "
                  "keyboard patterns.");
    LATCHKEY_CODE(rate_limited, 429, "Too many requests.");
    LATCHKEY_CODE(internal_error, 500, "Internal error; the request id is in the server's log.");
    LATCHKEY_CODE(overloaded, 503, "The server is busy; try again shortly.");
    LATCHKEY_CODE(database_unavailable, 503, "The database is unavailable; try again shortly.");
#undef LATCHKEY_CODE
};

} // namespace handlers
