// Usage of the workspace's credentials.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/usage.hpp"

namespace handlers::usage {

/// Counts of requests by day, key or status: of the caller's keys or, with api_keys:admin, of all
/// credentials.
awaitable<answer<schemas::page<schemas::usage_row>>> list(call& c, query<schemas::usage_query> wanted);

inline constexpr operation operations[] = {
    describes<&list>(
        tags::api_keys, "listUsage", "Count requests by day, key or status",
        "Of the caller's own keys; with `api_keys:admin`, of all keys and sessions of the workspace. "
        "`checks` are requests with a known credential, calls of `/auth` as well as of the API; of "
        "these, `refusals` were refused because of the credential's state, role or scopes, and "
        "`rate_limited` answered 429. A request is counted within a minute or two; those of the last "
        "minute before a crash are not, and those of a minute in which the database's answer was lost"
        " may be counted twice. Days are in UTC, kept for 13 months, and listed only if they have "
        "requests. By key the list is paged: sessions, as the key null, come first.")
        .fails_with(codes::forbidden),
};

} // namespace handlers::usage
