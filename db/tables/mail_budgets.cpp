#include "db/tables/mail_budgets.hpp"

#include "db/postgres/batch.hpp"
#include "db/postgres/columns.hpp"

namespace db::mail_budgets {

static const statement store_limits{"mail_budgets_store", R"(
    UPDATE mail_limits SET recipient = $1, sender = $2, installation = $3
    WHERE (recipient, sender, installation) <> ($1, $2, $3))"};

awaitable<bool> store(pool& db, limits now)
{
    auto stored = co_await db.run(store_limits, now.recipient, now.sender, now.installation);
    co_return stored.affected() > 0;
}

// A transaction that drops an email only inserts a row, so that none waits for another; here they are added
// up. In the order of the primary key, so that two nodes cannot deadlock.
static const statement add_up{"mail_budgets_add_up", R"(
    WITH counted AS (
        DELETE FROM mail_drops
        WHERE id IN (SELECT id FROM mail_drops ORDER BY id LIMIT 100000 FOR UPDATE SKIP LOCKED)
        RETURNING kind, reason)
    INSERT INTO mail_drop_totals AS known (kind, reason, total)
    SELECT kind, reason, count(*) FROM counted GROUP BY kind, reason ORDER BY kind, reason
    ON CONFLICT (kind, reason) DO UPDATE SET total = known.total + excluded.total)"};

static const statement find_totals{"mail_budgets_find_totals",
                                   "SELECT " + columns<drop_count>() + " FROM mail_drop_totals"};

awaitable<std::vector<drop_count>> count_drops(pool& db)
{
    batch work;
    work.add(add_up).add(find_totals);
    auto found = co_await db.run(std::move(work));
    co_return found.last().as_vector<drop_count>();
}

} // namespace db::mail_budgets
