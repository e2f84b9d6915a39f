// Usage of a workspace's credentials, and the query for it.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/page.hpp"

#include <chrono>

namespace schemas {

/// A day of the Gregorian calendar, as YYYY-MM-DD (RFC 3339, full-date).
struct calendar_day {
    std::chrono::sys_days value;
    std::string text;

    std::string_view view() const { return text; }
    static std::optional<calendar_day> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

enum class usage_grouping { day, key, status };
BOOST_DESCRIBE_ENUM(usage_grouping, day, key, status)

enum class usage_status { allowed, refused, rate_limited };
BOOST_DESCRIBE_ENUM(usage_status, allowed, refused, rate_limited)

/// `from` and `to` are days in UTC, both inclusive: by default the last thirty.
struct usage_query {
    page_limit limit;
    omittable<std::string> cursor;
    omittable<calendar_day> from;
    omittable<calendar_day> to;
    omittable<usage_grouping> by;
};
BOOST_DESCRIBE_STRUCT(usage_query, (), (limit, cursor, from, to, by))

/// An API key in a list of usage. Prefix and name are null for one that was deleted long after its end.
struct usage_key {
    boost::uuids::uuid id{};
    std::optional<std::string> prefix;
    std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(usage_key, (), (id, prefix, name))

/** `day`, `key` or `status`, by the grouping: by key, null stands for all sessions. `checks` are requests
    with the credential, `refusals` those of them that were answered 401 or 403, `rate_limited` 429; the
   latter two are omitted by status. */
struct usage_row {
    omittable<std::string> day;
    std::optional<usage_key> key;
    omittable<usage_status> status;
    std::int64_t checks = 0;
    omittable<std::int64_t> refusals;
    omittable<std::int64_t> rate_limited;
};
BOOST_DESCRIBE_STRUCT(usage_row, (), (day, key, status, checks, refusals, rate_limited))

} // namespace schemas
