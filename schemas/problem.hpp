// What an answer says when a request did not succeed.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct problem {
    std::string detail;
    std::string code;
};
BOOST_DESCRIBE_STRUCT(problem, (), (detail, code))

/** 403: which permission was lacking. */
struct forbidden_scope_problem {
    std::string detail;
    std::string code = "forbidden_scope";
    std::string required;
};
BOOST_DESCRIBE_STRUCT(forbidden_scope_problem, (), (detail, code, required))

/** 422: every wrong place, not the first alone. */
struct validation_problem {
    std::string code = "validation_error";
    std::vector<fault> detail;
};
BOOST_DESCRIBE_STRUCT(validation_problem, (), (code, detail))

/** 429: carries its reason under three names, since clients of different ages look for different ones. */
struct rate_limited_problem {
    std::string detail;
    std::string code = "rate_limited";
    std::string error;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(rate_limited_problem, (), (detail, code, error, message))

} // namespace schemas
