// Keyset pagination: page conditions that an index serves, and row counts with a cap on their cost.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace db {

/** The bounds of the first page. The bound is a plain parameter in SQL: under row-level security
    (db/postgres/row_security.hpp) an index serves only leakproof expressions, and coalesce() is not one. */
inline constexpr uuid min_uuid{};
inline constexpr uuid max_uuid{
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/** The condition and order of a page. With `ORDER BY id` PostgreSQL may scan the whole primary key and
    discard the rows of other workspaces: cheap by its estimate where there are few workspaces, expensive
    for the small ones among them. So the order is one that the primary key does not have. */
struct keyset {
    /// A condition.
    std::string where;

    /// ORDER BY ...
    std::string order;
};

/** For an index over the columns compared and then `id DESC NULLS LAST`. No id is null: NULLS LAST only makes
    the order differ from the primary key's.
    @param of    equality comparisons, such as "user_id = $2 AND workspace_id = $1"
    @param bound such as "$4": the page begins below this id
    @param least the smallest id of the list */
keyset newest_first(const std::string& of, const std::string& bound, const std::string& least);

/** For an index over one column and the id, such as a primary key. Both are compared as a row value, in an
    order that no other index has. With more columns PostgreSQL would not find the end of the list, since it
    stops at the first column alone.
    @param bound such as "$4": the page begins above this id */
keyset oldest_first(const std::string& column, const std::string& value, const std::string& id,
                    const std::string& bound);

/// min_uuid and max_uuid as SQL literals, for counting a whole list.
inline const std::string min_uuid_literal = "'00000000-0000-0000-0000-000000000000'::uuid";
inline const std::string max_uuid_literal = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

/** Forces index scans for a batch that lists: the planner may not collect and sort rows. Add it first.
    Adds one result that the caller skips. */
void require_index_scan(batch& work);

/// The highest count reported: the cost of a page must not grow with its list.
inline constexpr std::int64_t count_cap = 1000;

/// A statement that counts rows, up to count_cap + 1. @param from FROM and WHERE
inline std::string count_up_to_cap(const std::string& from)
{
    return "SELECT count(*) FROM (SELECT " + from + " LIMIT " + std::to_string(count_cap + 1) +
           ") AS counted";
}

/// Reads the result of such a statement. @return nothing if it is above the cap
inline std::optional<std::int64_t> read_capped_count(const result& counted)
{
    auto total = counted.scalar<std::int64_t>();
    return total > count_cap ? std::nullopt : std::optional(total);
}

} // namespace db
