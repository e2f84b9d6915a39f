// Usage: the requests with the credentials of a workspace, by day and API key
// (db/principals/usage_counter.hpp).
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/api_keys.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace db::usage {

struct query {
    /// Without a user: all keys of the workspace, and its sessions.
    api_keys::owner_filter owner;

    /// Both inclusive, in UTC.
    std::chrono::sys_days from, to;
};

struct sums {
    std::int64_t checks = 0;

    /// Of these, 401 and 403.
    std::int64_t refusals = 0;

    /// Of these, 429.
    std::int64_t rate_limited = 0;
};
BOOST_DESCRIBE_STRUCT(sums, (), (checks, refusals, rate_limited))

struct day_row {
    /// As YYYY-MM-DD.
    std::string day;
    std::int64_t checks = 0, refusals = 0, rate_limited = 0;
};
BOOST_DESCRIBE_STRUCT(day_row, (), (day, checks, refusals, rate_limited))

struct key_row {
    /// Nil: sessions.
    uuid id{};

    /// Nothing for a key that retention has deleted.
    std::optional<std::string> prefix, name;
    std::int64_t checks = 0, refusals = 0, rate_limited = 0;
};
BOOST_DESCRIBE_STRUCT(key_row, (), (id, prefix, name, checks, refusals, rate_limited))

struct key_page {
    std::vector<key_row> rows;
    std::int64_t total = 0;
};

awaitable<sums> sum(pool& db, query of);

/// The days with requests, the first first.
awaitable<std::vector<day_row>> list_days(pool& db, query of);

/// Sessions, then keys with requests, the oldest first. @param after the last id of the previous page
awaitable<key_page> list_keys(pool& db, query of, std::optional<uuid> after, int limit);

} // namespace db::usage
