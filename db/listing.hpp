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

/** Which rows a page is of, and in which order: those with these values in these columns, the newest first, from before an
    id on. All of them hold ids. It is said by comparing rows as a whole, which only an index over the columns and the id
    answers in order. Said as equality it leaves PostgreSQL the choice of walking all ids there are, and of throwing away
    those of others: cheap by its estimate where there are few workspaces, dear for the small ones among them. */
struct keyset {
    /// @param columns, values as in "user_id, workspace_id" and "$2, $1" @param bound as in "$4"
    keyset(const std::string& columns, const std::string& values, const std::string& bound)
    {
        where = "(" + columns + ") >= (" + values + ") AND (" + columns + ", id) < (" + values + ", " +
                bound + ")";
        order = " ORDER BY ";
        for (char each : columns)
            order += each == ',' ? " DESC," : std::string(1, each);
        order += " DESC, id DESC";
    }

    std::string where; ///< a condition
    std::string order; ///< ORDER BY …
};

/// For counting what is in a list: before_all's counterpart, spelt out.
inline const std::string no_bound = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

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
