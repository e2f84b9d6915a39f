#include "db/tables/outbox.hpp"

namespace db::outbox {

namespace {

std::optional<std::vector<std::uint8_t>> token_of(const draft& letter)
{
    if (letter.sealed_token.empty())
        return std::nullopt;
    return letter.sealed_token;
}

} // namespace

// By name only whom the address belongs to for sure: a stranger is not to be told what somebody calls
// himself.
static const statement insert_to_user{"outbox_insert_to_user", R"(
    INSERT INTO outbox (id, kind, facts, sealed_token, user_id, recipient, name)
    SELECT $1, $2, $3, $4, u.id, u.email, CASE WHEN u.email_verified_at IS NOT NULL THEN u.name END
    FROM users u WHERE u.id = $5 AND wants_mail(u, $2))"};

void add_to_user(batch& work, const draft& letter, const uuid& user_id)
{
    work.add(insert_to_user, letter.id, letter.what, letter.facts, token_of(letter), user_id);
}

static const statement insert_to_address{"outbox_insert_to_address", R"(
    INSERT INTO outbox (id, kind, facts, sealed_token, user_id, recipient, name)
    SELECT $1, $2, $3, $4, u.id, $6, CASE WHEN u.email_verified_at IS NOT NULL AND u.email = $6 THEN u.name END
    FROM users u WHERE u.id = $5)"};

void add_to_address(batch& work, const draft& letter, const uuid& user_id, std::string_view recipient)
{
    work.add(insert_to_address, letter.id, letter.what, letter.facts, token_of(letter), user_id, recipient);
}

// now() is the transaction's: equal to revoked_at only if this very transaction has set it.
static const statement insert_to_key_owner{"outbox_insert_to_key_owner", R"(
    INSERT INTO outbox (id, kind, facts, user_id, recipient, name)
    SELECT $1, $2, $3::jsonb || jsonb_build_object('name', k.name), u.id, u.email, u.name
    FROM api_keys k
    JOIN workspaces w ON w.id = k.workspace_id
    JOIN users u ON u.id = coalesce(k.user_id, w.owner_id)
    WHERE k.digest = $4 AND k.revoked_at = now() AND wants_mail(u, $2))"};

void add_to_key_owner(batch& work, const draft& letter, const digest& key)
{
    work.add(insert_to_key_owner, letter.id, letter.what, letter.facts, key);
}

static const statement insert_to_invitee{"outbox_insert_to_invitee", rows::of_one_workspace, R"(
    INSERT INTO outbox (id, kind, facts, sealed_token, recipient)
    SELECT $1, $2, $3, $4, i.email FROM invites i WHERE i.id = $5 AND i.digest = $6)"};

void add_to_invitee(batch& work, const draft& letter, const uuid& invite_id, const digest& token)
{
    work.add(insert_to_invitee, letter.id, letter.what, letter.facts, token_of(letter), invite_id, token);
}

static const statement begin{"outbox_begin", "BEGIN"};
static const statement commit{"outbox_commit", "COMMIT"};
static const statement roll_back{"outbox_roll_back", "ROLLBACK"};

// A worker that hangs with the letter locked loses it to the others.
static const statement limit_idling{"outbox_limit_idling",
                                    "SET LOCAL idle_in_transaction_session_timeout = '120s'"};

static const statement take_due{"outbox_take", R"(
    SELECT id, kind AS what, user_id, recipient, name, facts, sealed_token, attempts, created_at
    FROM outbox
    WHERE failed_at IS NULL AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED)"};

static const statement is_any_due{"outbox_is_any_due", R"(
    SELECT EXISTS (SELECT FROM outbox WHERE failed_at IS NULL AND next_attempt_at <= now()))"};

awaitable<std::optional<row>> take(pool& db)
{
    auto due = co_await db.run(is_any_due); // so that looking for nothing is one cheap statement
    if (!due.scalar<bool>())
        co_return std::nullopt;
    batch work;
    work.add(begin).add(limit_idling).add(take_due);
    auto answers = co_await db.run(std::move(work));
    auto found = answers.last().as_optional<row>();
    if (!found)
        co_await db.run(commit);
    co_return found;
}

static const statement count_letters{"outbox_count", R"(
    SELECT (SELECT count(*) FROM outbox WHERE failed_at IS NULL) AS waiting,
           (SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL) AS given_up,
           coalesce((SELECT extract(epoch FROM now() - min(created_at)) FROM outbox WHERE failed_at IS NULL), 0)::int8
               AS oldest_seconds)"};

awaitable<tally> count(pool& db)
{
    auto counted = co_await db.run(count_letters);
    co_return counted.as_one<tally>();
}

static const statement delete_sent{"outbox_delete", "DELETE FROM outbox WHERE id = $1"};

awaitable<void> settle(pool& db, uuid id)
{
    batch work;
    work.add(delete_sent, id).add(commit);
    co_await db.run(std::move(work));
}

static const statement postpone_one{"outbox_postpone", R"(
    UPDATE outbox
    SET attempts = attempts + 1, next_attempt_at = clock_timestamp() + $2 * interval '1 millisecond', last_error = $3
    WHERE id = $1)"};

awaitable<void> postpone(pool& db, uuid id, std::chrono::milliseconds wait, std::string cause)
{
    batch work;
    work.add(postpone_one, id, wait.count(), cause).add(commit);
    co_await db.run(std::move(work));
}

static const statement give_one_up{"outbox_give_up", R"(
    UPDATE outbox SET attempts = attempts + 1, failed_at = now(), sealed_token = NULL, last_error = $2
    WHERE id = $1)"};

awaitable<void> give_up(pool& db, uuid id, std::string cause)
{
    batch work;
    work.add(give_one_up, id, cause).add(commit);
    co_await db.run(std::move(work));
}

awaitable<void> let_go(pool& db)
{
    co_await db.run(roll_back);
}

} // namespace db::outbox
