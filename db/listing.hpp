// How many rows a list has, told only where counting them is cheap.
#pragma once

#include "db/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace db {

/* A page goes on after an id, the first one after one of these. The bound is a mere parameter in SQL: where PostgreSQL
   guards rows (db/wall.hpp), an index helps with no expression that is not known to be harmless, as coalesce() is not. */
inline constexpr uuid before_all{};
inline constexpr uuid after_all{
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// Beyond this nobody counts: the cost of a page must not grow with its list.
inline constexpr std::int64_t most_counted = 1000;

/// A statement that counts rows, up to one more than most_counted. @param from FROM and WHERE
inline std::string count_some(const std::string& from)
{
    return "SELECT count(*) FROM (SELECT " + from + " LIMIT " + std::to_string(most_counted + 1) +
           ") AS counted";
}

/// The answer of such a statement. @return nothing if there are too many
inline std::optional<std::int64_t> read_total(const result& counted)
{
    auto total = counted.scalar<std::int64_t>();
    return total > most_counted ? std::nullopt : std::optional(total);
}

} // namespace db
