#include "db/tables/outbox.hpp"

namespace db::outbox {

namespace {

std::optional<std::vector<std::uint8_t>> optional_token(const draft& mail)
{
    if (mail.sealed_token.empty())
        return std::nullopt;
    return mail.sealed_token;
}

} // namespace

// Only a verified address gets the user's name: the owner of a mistyped one must not learn it.
static const statement insert_to_user{"outbox_insert_to_user", R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, user_id, recipient, name)
    SELECT $1, $2, $3, $4, u.id, u.email, CASE WHEN u.email_verified_at IS NOT NULL THEN u.name END
    FROM users u WHERE u.id = $5 AND wants_mail(u, $2))"};

void add_to_user(batch& work, const draft& mail, const uuid& user_id)
{
    work.add(insert_to_user, mail.id, mail.kind, mail.variables, optional_token(mail), user_id);
}

static const statement insert_to_address{"outbox_insert_to_address", R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, user_id, recipient, name)
    SELECT $1, $2, $3, $4, u.id, $6,
           CASE WHEN u.email_verified_at IS NOT NULL AND u.email = $6 THEN u.name END
    FROM users u WHERE u.id = $5)"};

void add_to_address(batch& work, const draft& mail, const uuid& user_id, std::string_view recipient)
{
    work.add(insert_to_address, mail.id, mail.kind, mail.variables, optional_token(mail), user_id, recipient);
}

// now() is the transaction's start: equal to revoked_at only if this transaction set it.
static const statement insert_to_key_owner{"outbox_insert_to_key_owner", R"(
    INSERT INTO outbox (id, kind, variables, user_id, recipient, name)
    SELECT $1, $2, $3::jsonb || jsonb_build_object('name', k.name), u.id, u.email, u.name
    FROM api_keys k
    JOIN workspaces w ON w.id = k.workspace_id
    JOIN users u ON u.id = coalesce(k.user_id, w.owner_id)
    WHERE k.digest = $4 AND k.revoked_at = now() AND wants_mail(u, $2))"};

void add_to_key_owner(batch& work, const draft& mail, const digest& key)
{
    work.add(insert_to_key_owner, mail.id, mail.kind, mail.variables, key);
}

static const statement insert_to_invitee{"outbox_insert_to_invitee", rows::of_one_workspace, R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, recipient)
    SELECT $1, $2, $3, $4, i.email FROM invites i WHERE i.id = $5 AND i.digest = $6)"};

void add_to_invitee(batch& work, const draft& mail, const uuid& invite_id, const digest& token)
{
    work.add(insert_to_invitee, mail.id, mail.kind, mail.variables, optional_token(mail), invite_id, token);
}

static const statement begin{"outbox_begin", "BEGIN"};
static const statement commit{"outbox_commit", "COMMIT"};
static const statement roll_back_transaction{"outbox_rollback", "ROLLBACK"};

// A worker that hangs with an email locked loses the lock to the others.
static const statement set_idle_timeout{"outbox_set_idle_timeout",
                                        "SET LOCAL idle_in_transaction_session_timeout = '120s'"};

static const statement claim_due{"outbox_claim_next", R"(
    SELECT id, kind, user_id, recipient, name, variables, sealed_token, attempts, created_at
    FROM outbox
    WHERE failed_at IS NULL AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED)"};

static const statement is_any_due{"outbox_is_any_due", R"(
    SELECT EXISTS (SELECT FROM outbox WHERE failed_at IS NULL AND next_attempt_at <= now()))"};

awaitable<std::optional<row>> claim_next(pool& db)
{
    auto due = co_await db.run(is_any_due); // an empty queue costs one cheap statement
    if (!due.scalar<bool>())
        co_return std::nullopt;
    batch work;
    work.add(begin).add(set_idle_timeout).add(claim_due);
    auto answers = co_await db.run(std::move(work));
    auto found = answers.last().as_optional<row>();
    if (!found)
        co_await db.run(commit);
    co_return found;
}

static const statement load_outbox_stats{"outbox_load_stats", R"(
    SELECT (SELECT count(*) FROM outbox WHERE failed_at IS NULL) AS pending,
           (SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL) AS failed,
           coalesce((SELECT extract(epoch FROM now() - min(created_at)) FROM outbox WHERE failed_at IS NULL),
                    0)::int8 AS oldest_pending_seconds)"};

awaitable<stats> load_stats(pool& db)
{
    auto counted = co_await db.run(load_outbox_stats);
    co_return counted.as_one<stats>();
}

static const statement delete_email{"outbox_mark_sent", "DELETE FROM outbox WHERE id = $1"};

awaitable<void> mark_sent(pool& db, uuid id)
{
    batch work;
    work.add(delete_email, id).add(commit);
    co_await db.run(std::move(work));
}

static const statement postpone_email{"outbox_postpone", R"(
    UPDATE outbox
    SET attempts = attempts + 1, last_error = $3,
        next_attempt_at = clock_timestamp() + $2 * interval '1 millisecond'
    WHERE id = $1)"};

awaitable<void> postpone(pool& db, uuid id, std::chrono::milliseconds wait, std::string cause)
{
    batch work;
    work.add(postpone_email, id, wait.count(), cause).add(commit);
    co_await db.run(std::move(work));
}

static const statement fail_email{"outbox_mark_failed", R"(
    UPDATE outbox SET attempts = attempts + 1, failed_at = now(), sealed_token = NULL, last_error = $2
    WHERE id = $1)"};

awaitable<void> mark_failed(pool& db, uuid id, std::string cause)
{
    batch work;
    work.add(fail_email, id, cause).add(commit);
    co_await db.run(std::move(work));
}

awaitable<void> rollback(pool& db)
{
    co_await db.run(roll_back_transaction);
}

} // namespace db::outbox
