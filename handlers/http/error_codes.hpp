// Why a call may be refused: the statuses and codes of the document, each with the shape of its body.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace handlers {

struct refusal {
    /** The schema of the body. `own` is the route's: what its handler answers under another status. */
    enum class shape { problem, validation, forbidden_scope, rate_limited, own };

    unsigned status = 0;
    std::string_view code = {};
    shape body = shape::problem;
};

namespace refusals {

inline constexpr refusal bad_request{400, "bad_request"};
inline constexpr refusal malformed_json{400, "malformed_json"};
inline constexpr refusal invalid_cursor{400, "invalid_cursor"};
inline constexpr refusal invalid_token{400, "invalid_token"};
inline constexpr refusal not_a_session{400, "not_a_session"};
inline constexpr refusal unauthorized{401, "unauthorized"};
inline constexpr refusal token_expired{401, "token_expired"};
inline constexpr refusal invalid_credentials{401, "invalid_credentials"};
inline constexpr refusal forbidden{403, "forbidden"};
inline constexpr refusal forbidden_scope{403, "forbidden_scope", refusal::shape::forbidden_scope};
inline constexpr refusal wrong_password{403, "invalid_credentials"};
inline constexpr refusal reauthentication_required{403, "reauthentication_required"};
inline constexpr refusal email_not_verified{403, "email_not_verified"};
inline constexpr refusal pending_approval{403, "pending_approval"};
inline constexpr refusal account_disabled{403, "account_disabled"};
inline constexpr refusal wrong_account{403, "wrong_account"};
inline constexpr refusal not_found{404, "not_found"};
inline constexpr refusal email_taken{409, "email_taken"};
inline constexpr refusal already_member{409, "already_member"};
inline constexpr refusal last_admin{409, "last_admin"};
inline constexpr refusal owner_protected{409, "owner_protected"};
inline constexpr refusal conflict{409, "conflict"};
inline constexpr refusal request_unverified{409, "email_not_verified"};
inline constexpr refusal payload_too_large{413, "payload_too_large"};
inline constexpr refusal unsupported_media_type{415, "unsupported_media_type"};
inline constexpr refusal validation_error{422, "validation_error", refusal::shape::validation};
inline constexpr refusal weak_password{422, "weak_password"};
inline constexpr refusal too_many{429, "rate_limited", refusal::shape::rate_limited};
inline constexpr refusal internal_error{500, "internal_error"};
inline constexpr refusal overloaded{503, "overloaded"};
inline constexpr refusal database_unavailable{503, "database_unavailable"};

} // namespace refusals

/** A few refusals, in any order. */
class refusal_list {
public:
    template <class... Some>
    constexpr refusal_list(Some... some) : all_{{some...}}, size_(sizeof...(some))
    {
        static_assert(sizeof...(some) <= most);
    }

    constexpr const refusal* begin() const { return all_.data(); }
    constexpr const refusal* end() const { return all_.data() + size_; }

private:
    static constexpr std::size_t most = 14;

    std::array<refusal, most> all_;
    std::size_t size_;
};

} // namespace handlers
