#include "db/listing.hpp"

#include <string_view>

namespace db {

static keyset make_keyset(const std::string& columns, const std::string& values, const std::string& id,
                          const std::string& bound, bool upwards)
{
    std::string_view within = upwards ? ") <= (" : ") >= (", beyond = upwards ? ") > (" : ") < (";
    std::string direction = upwards ? "" : " DESC";
    keyset out;
    out.where.append("(").append(columns).append(within).append(values).append(") AND (");
    out.where.append(columns).append(", ").append(id).append(beyond);
    out.where.append(values).append(", ").append(bound).append(")");
    out.order = " ORDER BY ";
    for (char each : columns)
        out.order += each == ',' ? direction + "," : std::string(1, each);
    out.order.append(direction).append(", ").append(id).append(direction);
    return out;
}

keyset newest_first(const std::string& columns, const std::string& values, const std::string& id,
                    const std::string& bound)
{
    return make_keyset(columns, values, id, bound, false);
}

keyset oldest_first(const std::string& columns, const std::string& values, const std::string& id,
                    const std::string& bound)
{
    return make_keyset(columns, values, id, bound, true);
}

static const statement walk_indexes{"listing_walk", R"(
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
           set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true))"};

void add_walking(batch& work)
{
    work.add(walk_indexes);
}

} // namespace db
