// Pagination: signed cursors, each bound to one list and one caller.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/page.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// Reads and writes the cursors of one list.
class page_cursor {
public:
    /// @param list names the list and its filters
    page_cursor(call& c, std::string_view list);

    /// @return the id after which the page starts, nothing for the first page; or invalid_cursor
    result<std::optional<db::uuid>> read(const schemas::omittable<std::string>& cursor);

    std::string write(const db::uuid& last);

private:
    call& c_;
    std::string context_;
};

/// The key of a row in its list: its id, or the user's.
template <class Row>
const db::uuid& key_of(const Row& row)
{
    if constexpr (requires { row.id; })
        return row.id;
    else
        return row.user_id;
}

/** Makes a page of at most `limit` rows, of which one more was fetched if there is a next page.
    @param total nothing if there are too many to count */
template <class Out, class Row, class Convert>
schemas::page<Out> make_page(page_cursor& cursor, const std::vector<Row>& rows, std::int64_t limit,
                             std::optional<std::int64_t> total, Convert convert)
{
    schemas::page<Out> out;
    for (auto& row : rows) {
        if (static_cast<std::int64_t>(out.items.size()) == limit) {
            out.next_cursor = cursor.write(key_of(out.items.back()));
            break;
        }
        out.items.push_back(convert(row));
    }
    if (total)
        out.total = *total;
    return out;
}

/** Answers one page of a list: decodes the cursor, fetches one row more than is shown, and signs the cursor
    of the next page.
    @param list the list's name and its filters: a cursor is valid for these alone
    @param fetch (std::optional<db::uuid> after, int limit) to an awaitable of `rows` and their `total`
    @param convert a row to an item of the page
    @return invalid_cursor if the cursor was not issued for this list and caller */
template <class Out, class Query, class Fetch, class Convert>
awaitable<answer<schemas::page<Out>>> paginate(call& c, const Query& wanted, std::string list, Fetch fetch,
                                               Convert convert)
{
    page_cursor cursor(c, list);
    auto after = cursor.read(wanted.cursor);
    if (!after)
        co_return after.error();
    auto limit = wanted.limit.value;
    auto found = co_await fetch(*after, static_cast<int>(limit + 1));
    co_return make_page<Out>(cursor, found.rows, limit, found.total, std::move(convert));
}

} // namespace handlers
