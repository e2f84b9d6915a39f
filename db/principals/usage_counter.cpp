#include "db/principals/usage_counter.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace db {

// Locks the workspaces before the rows, as their deletion does, and rows in one order. A workspace that is
// being deleted is skipped.
static const statement write_usage{"usage_write", R"(
    WITH free AS MATERIALIZED (
        SELECT id FROM workspaces WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE SKIP LOCKED),
    added AS (
        INSERT INTO usage_daily AS u (workspace_id, day, key_id, checks, refusals, rate_limited)
        SELECT n.workspace, date '1970-01-01' + n.day,
               nullif(n.key, '00000000-0000-0000-0000-000000000000'), n.checks, n.refusals, n.rate_limited
        FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS n (workspace, day, key, checks, refusals, rate_limited)
        JOIN free ON free.id = n.workspace
        ORDER BY n.workspace, n.day, n.key
        ON CONFLICT (workspace_id, day, key_id) DO UPDATE
        SET checks = u.checks + excluded.checks, refusals = u.refusals + excluded.refusals,
            rate_limited = u.rate_limited + excluded.rate_limited)
    SELECT id FROM free)"};

void usage_counter::add(const principal& counted, std::int64_t second)
{
    if (counted.is_collected)
        return;
    counted.is_collected = true;
    collected_.push_back({principal_ref(&counted), second});
    if (collected_.size() > max_principals_)
        take_first();
}

/// From now on its next use is recorded, and collected.
void usage_counter::take_first()
{
    constexpr std::int64_t day = 86400;
    auto& [of, since] = collected_.front();
    auto counts = std::exchange(of->counts, {});
    of->is_collected = false;
    of->recorded_at = 0;
    if (of->workspace_id) {
        row_key row{*of->workspace_id, since / day, {}};
        if (of->kind == principal::kind_type::api_key)
            row.key = of->credential_id;
        taken_[row].add({counts.checks, counts.refusals, counts.rate_limited});
    }
    collected_.pop_front();
}

bool usage_counter::take_due(std::chrono::system_clock::time_point now)
{
    constexpr int slice = 2000;
    auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    auto is_due = [&] { return !collected_.empty() && second - collected_.front().since >= interval_; };
    for (int taken = 0; taken < slice && is_due(); ++taken)
        take_first();
    return is_due();
}

void usage_counter::take_all()
{
    while (!collected_.empty())
        take_first();
}

awaitable<void> usage_counter::write(pool& db, std::size_t rows_per_statement)
{
    auto left = std::exchange(taken_, {});
    try {
        while (!left.empty()) {
            std::vector<row_key> rows;
            std::vector<uuid> workspaces, keys;
            std::vector<std::int64_t> days, checks, refusals, rate_limited;
            for (const auto& [row, counts] : left) {
                if (rows.size() == rows_per_statement)
                    break;
                rows.push_back(row);
                workspaces.push_back(row.workspace);
                days.push_back(row.day);
                keys.push_back(row.key);
                checks.push_back(counts.checks);
                refusals.push_back(counts.refusals);
                rate_limited.push_back(counts.rate_limited);
            }
            auto answer =
                co_await db.run(write_usage, workspaces, days, keys, checks, refusals, rate_limited);
            auto written = answer.as_vector<uuid>();
            std::ranges::sort(written);
            for (const auto& row : rows) {
                auto done = left.find(row);
                if (!std::ranges::binary_search(written, row.workspace) && !done->second.was_skipped) {
                    auto& kept = taken_[row];
                    kept.add(done->second);
                    kept.was_skipped = true;
                }
                left.erase(done);
            }
        }
    } catch (...) {
        for (const auto& [row, counts] : left)
            taken_[row].add(counts);
        throw;
    }
}

} // namespace db
