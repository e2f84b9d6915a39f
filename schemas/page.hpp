// Pagination: the envelope of every list, and its query.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

/// Accepts any cursor, even an empty one: its MAC decides, not its syntax.
struct page_query {
    page_limit limit;
    omittable<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(page_query, (), (limit, cursor))

/// `next_cursor` is null on the last page; `total` is omitted where counting would be too expensive.
template <class Row>
struct page {
    std::vector<Row> items;
    std::optional<std::string> next_cursor;
    omittable<std::int64_t> total;

    BOOST_DESCRIBE_CLASS(page, (), (items, next_cursor, total), (), ())
};

} // namespace schemas
