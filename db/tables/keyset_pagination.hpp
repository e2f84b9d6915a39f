// How many rows a list has, told only where counting them is cheap.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace db {

/* A page goes on after an id, the first one after one of these. The bound is a mere parameter in SQL: where
   PostgreSQL guards rows (db/postgres/row_security.hpp), an index helps with no expression that is not known
   to be harmless, as coalesce() is not. */
inline constexpr uuid before_all{};
inline constexpr uuid after_all{
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Which rows a page is of, and in which order. Said plainly it leaves PostgreSQL the choice of walking all
   ids there are by the primary key, and of throwing away the rows of others: cheap by its estimate where
   there are few workspaces, dear for the small ones among them. So the order asked for is one that the
   primary key does not have. */
struct keyset {
    std::string where; ///< a condition
    std::string order; ///< ORDER BY …
};

/** By an index over what is compared and then `id DESC NULLS LAST`. No id is null: that only tells the order
   apart from the primary key's. @param of comparisons for equality, as in "user_id = $2 AND workspace_id =
   $1"
    @param bound as in "$4": the id before which the page begins @param least the least id that the list has
 */
keyset newest_first(const std::string& of, const std::string& bound, const std::string& least);

/** By an index over one column and the id, which may be a primary key: both are compared as a whole, in an
   order that no other index has. With more columns PostgreSQL would not see where the list ends, since it
   tells that by the first.
    @param bound as in "$4": the id after which the page begins */
keyset oldest_first(const std::string& column, const std::string& value, const std::string& id,
                    const std::string& bound);

/// Bounds for counting what is in a list: before_all and after_all, spelt out.
inline const std::string from_first = "'00000000-0000-0000-0000-000000000000'::uuid";
inline const std::string from_last = "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid";

/** Begin a batch that lists: its statements are answered by walking an index, and never by gathering rows and
   sorting them, whatever the estimates say. Answers one row of no interest. */
void add_walking(batch& work);

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
