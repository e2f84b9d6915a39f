// Error responses: a client's error is a value of this type, never an exception.
#pragma once

#include "handlers/http/error_codes.hpp"
#include "handlers/http/message.hpp"
#include "schemas/engine/validation_error.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handlers {

/// One error response: a code with its status, and a text for people.
struct problem {
    problem_code code = codes::internal_error;
    std::string detail;
    /// The permission that a forbidden_scope lacks.
    std::string required;
    /// Of already_rotated; may be empty.
    std::string successor_prefix;
    /// Of a validation_error.
    std::vector<schemas::validation_error> errors;
    /// Retry-After of 429 and 503.
    std::chrono::seconds retry_after{0};
    /// WWW-Authenticate of 401 and of forbidden_scope.
    std::string challenge;
    /// RateLimit-Policy and RateLimit of 429.
    std::string rate_policy, rate_state;
    /// Allow of 405.
    std::string allow;
    /// For the log alone.
    std::string cause;

    /// The code with its default detail.
    static problem of(problem_code code) { return of(code, std::string(code.detail())); }
    /// 401 gets the challenge of a request without a credential (RFC 6750, section 3.1), 503 a Retry-After.
    static problem of(problem_code code, std::string detail);

    /// 401 unauthorized: a credential was sent and rejected (`error="invalid_token"` in the challenge).
    static problem rejected_credential(std::string detail);
    static problem token_expired();
    static problem forbidden_scope(std::string_view permission);
    static problem already_rotated(std::string successor_prefix);
    static problem method_not_allowed(std::string allow);
    static problem unsupported_media_type(std::string_view expected);
    static problem validation_error(std::vector<schemas::validation_error> errors);
    /// A validation_error of one field, found by a handler and not by the field's type.
    static problem invalid_field(std::string_view where, std::string_view field, std::string msg,
                                 std::string_view type = "value_error");

    /// Adds what the log should say.
    problem with_cause(std::string text) &&;
};

/// The return type of helpers: a value, or the response that ends the request.
template <class T>
using result = boost::system::result<T, problem>;

/// The return type of handlers. `endpoint.hpp` writes either as the response.
template <class T>
using answer = std::variant<T, problem>;

/// Called by `result::value()` on an error, found by ADL.
[[noreturn]] void throw_exception_from_error(const problem& error, const boost::source_location& where);

/// The problem as a response: a JSON body in the contract's shape, and the headers that its status requires.
reply to_reply(const problem& p);

} // namespace handlers
