// How many rows a list has, told only where counting them is cheap.
#pragma once

#include "db/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace db {

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
