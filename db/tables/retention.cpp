#include "db/tables/retention.hpp"

#include "db/postgres/error.hpp"

#include <boost/describe/class.hpp>

#include <algorithm>
#include <string>

namespace db {

/// Which rows of a table are deleted. In the condition, $3 is the retention in seconds.
struct retention_rule {
    retention_rule(const char* statement_name, const char* table_name, const std::string& condition,
                   std::chrono::seconds retention_periods::* period)
        : table(table_name), configured(period),
          remove(statement_name, "DELETE FROM " + std::string(table_name) +
                                     " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + table_name +
                                     " WHERE ctid >= $1::text::tid AND ctid < $2::text::tid AND (" +
                                     condition + ") FOR UPDATE SKIP LOCKED))")
    {}

    retention_rule(const char* statement_name, const char* table_name, const std::string& condition,
                   std::chrono::seconds period)
        : retention_rule(statement_name, table_name, condition, nullptr)
    {
        fixed = period;
    }

    std::chrono::seconds period(const retention_periods& keep) const
    {
        return configured ? keep.*configured : fixed;
    }

    const char* table;
    std::chrono::seconds retention_periods::* configured;
    std::chrono::seconds fixed{0};
    statement remove;
};

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t max_slice = 64; // blocks of 8 KiB
constexpr std::int64_t block_bits = 32;

std::string ended(const std::string& at)
{
    return at + " < now() - make_interval(secs => $3)";
}

const retention_rule rules[] = {
    {"retention_tokens", "one_time_tokens", ended("expires_at"), 0s},
    {"retention_pending_signups", "pending_signups", ended("expires_at"), 0s},
    {"retention_codes", "oauth_codes", ended("expires_at"), 0s},
    {"retention_spent_states", "oauth_spent_states", ended("expires_at"), 0s},
    // Budgets look back one hour.
    {"retention_mail_counts", "mail_sent", ended("at"), 1h},
    {"retention_mail_hours", "mail_hours", ended("hour"), 24h},
    {"retention_mail", "outbox",
     ended("failed_at") +
         " OR (user_id IS NOT NULL AND NOT EXISTS (SELECT FROM users u WHERE u.id = outbox.user_id))",
     &retention_periods::failed_mail},
    {"retention_devices", "known_devices", ended("seen_at"), &retention_periods::devices},
    {"retention_rate_quotas", "rate_quotas", ended("ends_at"), 1min},
    // Kept for a while, so that the link can show why it is invalid.
    {"retention_invites", "invites", ended("expires_at"), &retention_periods::invites},
    {"retention_sessions", "sessions", ended("least(revoked_at, expires_at)"), &retention_periods::sessions},
    {"retention_api_keys", "api_keys", ended("least(revoked_at, expires_at)"), &retention_periods::api_keys},
    {"retention_usage", "usage_daily", ended("day"), std::chrono::days(396)}, // 13 months
    {"retention_audit", "audit", ended("at"), &retention_periods::audit},
};

struct sweep_row {
    std::string table_name;
    std::int64_t next_block = 0;
};
BOOST_DESCRIBE_STRUCT(sweep_row, (), (table_name, next_block))

// Without a lock on the rows of tables that are not due: in the long run that is most calls.
const statement claim_sweeps{"retention_claim", R"(
    WITH due AS (
        UPDATE retention_sweeps SET next_at = now() + interval '1 minute'
        WHERE table_name = ANY (ARRAY(SELECT table_name FROM retention_sweeps
                                      WHERE table_name = ANY ($1::text[]) AND next_at <= now()
                                      FOR UPDATE SKIP LOCKED))
        RETURNING table_name, next_block),
    first AS (
        INSERT INTO retention_sweeps (table_name, next_at)
        SELECT t, now() + interval '1 minute' FROM unnest($1::text[]) AS t
        WHERE NOT EXISTS (SELECT FROM retention_sweeps WHERE table_name = t)
        ON CONFLICT DO NOTHING
        RETURNING table_name, next_block)
    SELECT table_name, next_block FROM due UNION ALL SELECT table_name, next_block FROM first)"};
// Fails to match if another node has taken over.
const statement advance_sweep{"retention_advance", R"(
    UPDATE retention_sweeps SET next_at = now() + interval '1 minute',
           next_block = CASE WHEN $3 >= pg_relation_size($1::text::regclass)
                                         / current_setting('block_size')::bigint THEN 0 ELSE $3 END
    WHERE table_name = $1 AND next_block = $2
    RETURNING next_block)"};

std::string tid(std::int64_t block)
{
    return "(" + std::to_string(std::min(block, (std::int64_t{1} << block_bits) - 1)) + ",0)";
}

} // namespace

retention::retention(pool& db, const retention_periods& keep)
    : db_(db), keep_(keep), positions_(std::size(rules), position{.blocks = max_slice})
{}

std::vector<std::string_view> retention::tables()
{
    std::vector<std::string_view> out;
    for (const auto& rule : rules)
        out.push_back(rule.table);
    return out;
}

awaitable<void> retention::claim()
{
    std::vector<std::string> unclaimed;
    for (std::size_t i = 0; i < std::size(rules); ++i)
        if (!positions_[i].is_claimed)
            unclaimed.emplace_back(rules[i].table);
    if (unclaimed.empty())
        co_return;
    batch work;
    work.add(claim_sweeps, unclaimed);
    auto answer = co_await db_.run(std::move(work));
    for (auto& claimed : answer.first().as_vector<sweep_row>()) {
        auto rule = std::ranges::find(rules, claimed.table_name, &retention_rule::table);
        auto& at = positions_[static_cast<std::size_t>(rule - rules)];
        at.is_claimed = true;
        at.next_block = claimed.next_block;
    }
}

awaitable<bool> retention::step()
{
    co_await claim();
    bool any = false;
    for (std::size_t i = 0; i < std::size(rules); ++i)
        if (positions_[i].is_claimed) {
            co_await sweep_slice(rules[i], positions_[i]);
            any = true;
        }
    co_return any;
}

awaitable<void> retention::sweep_slice(const retention_rule& rule, position& at)
{
    auto end = at.next_block + at.blocks;
    batch work;
    work.add(rule.remove, tid(at.next_block), tid(end), rule.period(keep_).count());
    work.add(advance_sweep, std::string(rule.table), at.next_block, end);
    try {
        auto rows = co_await db_.run(std::move(work));
        deleted_ += rows[0].affected();
        auto next = rows.last().as_optional<std::int64_t>();
        at.is_claimed = next && *next > 0;
        at.next_block = next.value_or(0);
        at.blocks = std::min(at.blocks * 2, max_slice);
    } catch (const failure&) {
        at.is_claimed = false;
        at.blocks = std::max<std::int64_t>(at.blocks / 4, 1);
        throw;
    }
}

awaitable<void> retention::run_to_completion()
{
    while (co_await step())
        ;
}

} // namespace db
