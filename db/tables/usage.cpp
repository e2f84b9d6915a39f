#include "db/tables/usage.hpp"

#include "db/tables/keyset_pagination.hpp"

namespace db::usage {

namespace {

/// $1: the workspace, $2: the user or null, $3 and $4: the days since 1970.
const std::string wanted_rows = R"(
    FROM usage_daily u LEFT JOIN api_keys k ON k.workspace_id = $1 AND k.id = u.key_id
    WHERE u.workspace_id = $1 AND ($2::uuid IS NULL OR k.user_id = $2)
      AND u.day BETWEEN date '1970-01-01' + $3::int AND date '1970-01-01' + $4::int)";

const std::string all_sums = R"(coalesce(sum(u.checks), 0)::bigint AS checks,
           coalesce(sum(u.refusals), 0)::bigint AS refusals,
           coalesce(sum(u.rate_limited), 0)::bigint AS rate_limited)";

std::int64_t number_of(std::chrono::sys_days day)
{
    return day.time_since_epoch().count();
}

} // namespace

static const statement sum_usage{"usage_sum", rows::of_one_workspace, "SELECT " + all_sums + wanted_rows};

awaitable<sums> sum(pool& db, query of)
{
    auto& [workspace, user] = of.owner;
    auto found = co_await db.run_in_workspace(workspace, sum_usage, workspace, user, number_of(of.from),
                                              number_of(of.to));
    co_return found.as_one<sums>();
}

static const statement list_usage_days{"usage_list_days", rows::of_one_workspace,
                                       "SELECT u.day::text AS day, " + all_sums + wanted_rows +
                                           " GROUP BY u.day ORDER BY u.day"};

awaitable<std::vector<day_row>> list_days(pool& db, query of)
{
    auto& [workspace, user] = of.owner;
    auto found = co_await db.run_in_workspace(workspace, list_usage_days, workspace, user, number_of(of.from),
                                              number_of(of.to));
    co_return found.as_vector<day_row>();
}

// $5: the key after which the page begins. The nil id, of sessions, is the first.
static const statement sum_by_key{"usage_sum_by_key", rows::of_one_workspace,
                                  R"(
    WITH of_key AS (
        SELECT coalesce(u.key_id, '00000000-0000-0000-0000-000000000000') AS id, k.prefix, k.name, )" +
                                      all_sums + wanted_rows + R"(
        GROUP BY u.key_id, k.prefix, k.name)
    SELECT id, prefix, name, checks, refusals, rate_limited, (SELECT count(*) FROM of_key) AS total
    FROM of_key WHERE $5::uuid IS NULL OR id > $5
    ORDER BY id LIMIT $6)"};

namespace {

struct counted_row {
    std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(counted_row, (), (total))

} // namespace

awaitable<key_page> list_keys(pool& db, query of, std::optional<uuid> after, int limit)
{
    auto& [workspace, user] = of.owner;
    auto found = co_await db.run_in_workspace(workspace, sum_by_key, workspace, user, number_of(of.from),
                                              number_of(of.to), after, limit);
    key_page out{found.as_vector<key_row>(), 0};
    auto totals = found.as_vector<counted_row>();
    if (!totals.empty())
        out.total = totals.front().total;
    co_return out;
}

} // namespace db::usage
