#include "db/tables/keyset_pagination.hpp"

namespace db {

keyset newest_first(const std::string& of, const std::string& bound, const std::string& least)
{
    return {of + " AND id < " + bound + " AND id >= " + least, " ORDER BY id DESC NULLS LAST"};
}

keyset oldest_first(const std::string& column, const std::string& value, const std::string& id,
                    const std::string& bound)
{
    keyset out;
    out.where.append(column).append(" <= ").append(value);
    out.where.append(" AND (").append(column).append(", ").append(id).append(") > (");
    out.where.append(value).append(", ").append(bound).append(")");
    out.order.append(" ORDER BY ").append(column).append(", ").append(id);
    return out;
}

// Parallel workers and JIT compilation would take longer than reading a page.
static const statement force_index_scan{"keyset_pagination_require_index_scan", R"(
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
           set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
           set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
           set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true))"};

void require_index_scan(batch& work)
{
    work.add(force_index_scan);
}

} // namespace db
