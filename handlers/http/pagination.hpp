// Lists by pages: cursors that only we can have made, for the list and the caller that they were made for.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/page.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handlers {

/** Where in which list a page starts. */
class page_cursor {
public:
    /** @param list the list and its filters, in words */
    page_cursor(call& c, std::string_view list);

    /** @return the id after which the page starts, nothing for the first page; or invalid_cursor */
    std::variant<std::optional<db::uuid>, problem> read(const schemas::omittable<std::string>& cursor);

    std::string write(const db::uuid& last);

private:
    call& c_;
    std::string context_;
};

/** What a cursor of a list of this row names: the row's id, or the user's. */
template <class Row>
const db::uuid& key_of(const Row& row)
{
    if constexpr (requires { row.id; })
        return row.id;
    else
        return row.user_id;
}

/** Make a page of rows that were asked for one more than shown.
    @param total nothing: there are too many to count */
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

} // namespace handlers
