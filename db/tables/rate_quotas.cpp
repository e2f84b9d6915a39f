#include "db/tables/rate_quotas.hpp"

#include "db/postgres/columns.hpp"

namespace db::rate_quotas {

// In the order of the primary key, so that two nodes cannot deadlock. The table is unlogged, so that the
// commit does not wait for the disk.
static const statement take_shares{"rate_quotas_take", R"(
    INSERT INTO rate_quotas AS q (subject, ends_at, quota, taken, granted)
    SELECT w.subject, now() + w.seconds * interval '1 second', w.quota, next_share(w.quota, $4),
           next_share(w.quota, $4)
    FROM unnest($1::bigint[], $2::integer[], $3::integer[]) AS w (subject, quota, seconds)
    ORDER BY w.subject
    ON CONFLICT (subject) DO UPDATE SET
        ends_at = CASE WHEN q.ends_at > now() THEN q.ends_at ELSE excluded.ends_at END,
        quota = excluded.quota,
        taken = CASE WHEN q.ends_at > now() THEN q.taken + next_share(excluded.quota - q.taken, $4)
                     ELSE excluded.taken END,
        granted = CASE WHEN q.ends_at > now() THEN next_share(excluded.quota - q.taken, $4)
                       ELSE excluded.granted END
    RETURNING subject, granted, ceil(extract(epoch FROM ends_at - now()))::integer AS seconds_left)"};

awaitable<std::vector<share>> take(pool& db, std::vector<share_request> requests, std::int32_t nodes)
{
    std::vector<std::int64_t> subjects;
    std::vector<std::int32_t> limits, windows;
    for (auto& each : requests) {
        subjects.push_back(each.subject);
        limits.push_back(each.limit);
        windows.push_back(each.window_seconds);
    }
    auto taken = co_await db.run(take_shares, subjects, limits, windows, nodes);
    co_return taken.as_vector<share>();
}

} // namespace db::rate_quotas
