#include "handlers/endpoints/usage.hpp"

#include "db/tables/usage.hpp"
#include "handlers/endpoints/api_key_policy.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"

#include <chrono>
#include <utility>

namespace handlers::usage {

namespace {

using grouping = schemas::usage_grouping;
using usage_page = schemas::page<schemas::usage_row>;

constexpr std::chrono::days default_period{30};

template <class Row>
schemas::usage_row to_row(const Row& sums)
{
    schemas::usage_row out;
    out.checks = sums.checks;
    out.refusals = sums.refusals;
    out.rate_limited = sums.rate_limited;
    return out;
}

usage_page to_page(std::vector<schemas::usage_row> rows)
{
    usage_page out;
    out.total = static_cast<std::int64_t>(rows.size());
    out.items = std::move(rows);
    return out;
}

usage_page by_status(const db::usage::sums& all)
{
    std::vector<schemas::usage_row> rows(3);
    rows[0].status = schemas::usage_status::allowed;
    rows[0].checks = std::max<std::int64_t>(all.checks - all.refusals - all.rate_limited, 0);
    rows[1].status = schemas::usage_status::refused;
    rows[1].checks = all.refusals;
    rows[2].status = schemas::usage_status::rate_limited;
    rows[2].checks = all.rate_limited;
    return to_page(std::move(rows));
}

usage_page by_day(const std::vector<db::usage::day_row>& days)
{
    std::vector<schemas::usage_row> rows;
    for (auto& day : days) {
        rows.push_back(to_row(day));
        rows.back().day = day.day;
    }
    return to_page(std::move(rows));
}

usage_page by_key(page_cursor& cursor, const db::usage::key_page& keys, std::size_t limit)
{
    usage_page out;
    for (auto& key : keys.rows) {
        if (out.items.size() == limit) {
            out.next_cursor = cursor.write(keys.rows[limit - 1].id);
            break;
        }
        auto row = to_row(key);
        if (!key.id.is_nil())
            row.key = schemas::usage_key{key.id, key.prefix, key.name};
        out.items.push_back(std::move(row));
    }
    out.total = keys.total;
    return out;
}

/// @return 422 if the period is none
result<db::usage::query> read_period(const call& c, const schemas::usage_query& wanted)
{
    db::usage::query out;
    out.to = wanted.to ? wanted.to->value : std::chrono::floor<std::chrono::days>(c.cx.now());
    out.from = wanted.from ? wanted.from->value : out.to - default_period + std::chrono::days(1);
    if (out.from > out.to)
        return problem::invalid_field("query", "from", "is after the end of the period");
    return out;
}

} // namespace

awaitable<answer<usage_page>> list(call& c, query<schemas::usage_query> wanted)
{
    auto filter = api_keys::owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    auto of = read_period(c, wanted.value);
    if (!of)
        co_return of.error();
    of->owner = *filter;
    auto group = wanted->by.value_or(grouping::day);
    auto name = "usage:" + std::to_string(of->from.time_since_epoch().count()) + ":" +
                std::to_string(of->to.time_since_epoch().count());
    page_cursor cursor(c, name);
    auto after = cursor.read(wanted->cursor);
    if (!after)
        co_return after.error();
    if (group != grouping::key && *after)
        co_return problem::of(codes::invalid_cursor);
    if (group == grouping::status) {
        auto all = co_await db::usage::sum(c.cx.db, *of);
        co_return by_status(all);
    }
    if (group == grouping::day) {
        auto days = co_await db::usage::list_days(c.cx.db, *of);
        co_return by_day(days);
    }
    auto limit = wanted->limit.value;
    auto keys = co_await db::usage::list_keys(c.cx.db, *of, *after, static_cast<int>(limit + 1));
    co_return by_key(cursor, keys, static_cast<std::size_t>(limit));
}

} // namespace handlers::usage
