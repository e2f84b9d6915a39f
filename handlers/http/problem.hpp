// What is told to a client whose request is refused: the caller's fault is a value, never an exception.
#pragma once

#include "handlers/http/message.hpp"
#include "schemas/engine/fault.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/** One refusal: status, stable machine-readable code, text for people. `code` refers to a literal. */
struct problem {
    unsigned status = 500;
    std::string_view code = "internal_error";
    std::string detail;
    std::string required;                // the permission that forbidden_scope lacks
    std::vector<schemas::fault> faults;  // of validation_error
    std::chrono::seconds retry_after{0}; // of 429 and 503
    std::string challenge;               // WWW-Authenticate of 401 and of forbidden_scope
    std::string rate_policy, rate_state; // RateLimit-Policy and RateLimit of 429
    std::string allow;                   // of 405
    std::string cause;                   // for the log alone

    static problem bad_request(std::string detail);
    static problem malformed_json();
    static problem invalid_cursor();
    /** 401. Without a credential the challenge has no `error` member (RFC 6750, section 3.1). */
    static problem unauthorized();
    static problem invalid_token(std::string detail);
    static problem token_expired();
    /** Login, unknown address and wrong password alike. */
    static problem invalid_credentials();
    /** 403: who is signed in has got their own password wrong. */
    static problem wrong_password();
    /** 400: a one-time token that is unknown, spent, replaced or expired. */
    static problem spent_token();
    /** 422: the password is too easy to guess. */
    static problem weak_password();
    static problem forbidden_scope(std::string_view permission);
    static problem forbidden(std::string_view code, std::string detail);
    static problem not_found();
    static problem conflict(std::string_view code, std::string detail);
    static problem method_not_allowed(std::string allow);
    static problem payload_too_large();
    static problem unsupported_media_type(std::string_view expected);
    static problem validation(std::vector<schemas::fault> faults);
    /** 422 for one field, found by a handler rather than by its type. */
    static problem invalid_field(std::string_view where, std::string_view field, std::string msg,
                                 std::string_view type = "value_error");
    static problem overloaded();
    static problem database_unavailable(std::string cause);
    static problem internal(std::string cause);
};

/** The problem as a reply: JSON body in the contract's shape, and the headers its status asks for. */
reply to_reply(const problem& p);

} // namespace handlers
