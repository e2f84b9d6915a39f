// The envelope of every list, and the query that asks for one.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

/** Any cursor is read here, an empty one too: whether it is genuine is told by its MAC, not by its shape. */
struct page_query {
    page_limit limit;
    omittable<std::string> cursor;
};
BOOST_DESCRIBE_STRUCT(page_query, (), (limit, cursor))

/** `next_cursor` is null on the last page; `total` is left out where counting would cost too much. */
template <class Row>
struct page {
    std::vector<Row> items;
    std::optional<std::string> next_cursor;
    omittable<std::int64_t> total;

    BOOST_DESCRIBE_CLASS(page, (), (items, next_cursor, total), (), ())
};

} // namespace schemas
