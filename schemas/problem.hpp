// Error responses.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct problem {
    std::string detail;
    std::string code;
};
BOOST_DESCRIBE_STRUCT(problem, (), (detail, code))

/// 403: the missing permission.
struct forbidden_scope_problem {
    std::string detail;
    std::string code = "forbidden_scope";
    std::string required;
};
BOOST_DESCRIBE_STRUCT(forbidden_scope_problem, (), (detail, code, required))

/// 409: the key that has replaced this one; omitted if it exists no more.
struct already_rotated_problem {
    std::string detail;
    std::string code = "already_rotated";
    omittable<std::string> successor_prefix;
};
BOOST_DESCRIBE_STRUCT(already_rotated_problem, (), (detail, code, successor_prefix))

/// 422: all errors, not only the first.
struct validation_problem {
    std::string code = "validation_error";
    std::vector<validation_error> detail;
};
BOOST_DESCRIBE_STRUCT(validation_problem, (), (code, detail))

/// 400 of an OAuth endpoint (RFC 6749, section 5.2).
struct oauth_problem {
    std::string error;
    std::string error_description;
};
BOOST_DESCRIBE_STRUCT(oauth_problem, (), (error, error_description))

/// 429: the reason under three names, for clients of different versions.
struct rate_limited_problem {
    std::string detail;
    std::string code = "rate_limited";
    std::string error;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(rate_limited_problem, (), (detail, code, error, message))

} // namespace schemas
