#include "db/tables/outbox.hpp"

#include "db/postgres/columns.hpp"

namespace db::outbox {

namespace {

std::optional<std::vector<std::uint8_t>> optional_token(const draft& mail)
{
    if (mail.sealed_token.empty())
        return std::nullopt;
    return mail.sealed_token;
}

} // namespace

static const statement insert_to_user{"outbox_insert_to_user", R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, user_id, recipient, sender_id, workspace_id)
    SELECT $1, $2, $3, $4, u.id, u.email, $6, $7
    FROM users u WHERE u.id = $5 AND wants_mail(u.notifications, $2))"};

void add_to_user(batch& work, const draft& mail, const uuid& user_id)
{
    work.add(insert_to_user, mail.id, mail.kind, mail.variables, optional_token(mail), user_id,
             mail.sender_id, mail.workspace_id);
}

static const statement insert_to_address{"outbox_insert_to_address", R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, user_id, recipient, sender_id, workspace_id)
    SELECT $1, $2, $3, $4, u.id, $6, $7, $8
    FROM users u WHERE u.id = $5)"};

void add_to_address(batch& work, const draft& mail, const uuid& user_id, std::string_view recipient)
{
    work.add(insert_to_address, mail.id, mail.kind, mail.variables, optional_token(mail), user_id, recipient,
             mail.sender_id, mail.workspace_id);
}

static const statement insert_to_pending_signup{"outbox_insert_to_pending_signup", R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, recipient)
    SELECT $1, $2, $3, $4, p.email FROM pending_signups p WHERE p.id = $5)"};

void add_to_pending_signup(batch& work, const draft& mail, const uuid& signup_id)
{
    work.add(insert_to_pending_signup, mail.id, mail.kind, mail.variables, optional_token(mail), signup_id);
}

// now() is the transaction's start: equal to revoked_at only if this transaction set it.
static const statement insert_to_key_owner{"outbox_insert_to_key_owner", R"(
    INSERT INTO outbox (id, kind, variables, user_id, recipient, sender_id, workspace_id)
    SELECT $1, $2, $3::jsonb || jsonb_build_object('name', k.name), u.id, u.email, k.created_by, w.id
    FROM api_keys k
    JOIN workspaces w ON w.id = k.workspace_id
    JOIN users u ON u.id = coalesce(k.user_id, w.owner_id)
    WHERE k.digest = $4 AND k.revoked_at = now() AND wants_mail(u, $2))"};

void add_to_key_owner(batch& work, const draft& mail, const digest& key)
{
    work.add(insert_to_key_owner, mail.id, mail.kind, mail.variables, key);
}

static const statement insert_to_invitee{"outbox_insert_to_invitee", rows::of_one_workspace, R"(
    INSERT INTO outbox (id, kind, variables, sealed_token, recipient, sender_id, workspace_id)
    SELECT $1, $2, $3, $4, i.email, $7, i.workspace_id FROM invites i WHERE i.id = $5 AND i.digest = $6)"};

void add_to_invitee(batch& work, const draft& mail, const uuid& invite_id, const digest& token)
{
    work.add(insert_to_invitee, mail.id, mail.kind, mail.variables, optional_token(mail), invite_id, token,
             mail.sender_id);
}

// The sub-select is an array: the planner expects a tenth of the queue from a join, and would read all of it.
static const statement claim_due{"outbox_claim", R"(
    UPDATE outbox
    SET claimed_until = clock_timestamp() + $3 * interval '1 second', attempts = attempts + 1
    WHERE id = ANY (ARRAY(
        SELECT id FROM outbox
        WHERE failed_at IS NULL AND lane = $1 AND next_attempt_at <= now()
          AND (claimed_until IS NULL OR claimed_until <= now())
        ORDER BY next_attempt_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED))
    RETURNING )" + columns<row>()};

awaitable<std::vector<row>> claim(pool& db, lane which, int limit, std::chrono::seconds duration)
{
    auto claimed = co_await db.run(claim_due, which, limit, duration.count());
    co_return claimed.as_vector<row>();
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

static const statement delete_emails{"outbox_mark_sent", "DELETE FROM outbox WHERE id = ANY ($1)"};

awaitable<void> mark_sent(pool& db, std::vector<uuid> ids)
{
    co_await db.run(delete_emails, ids);
}

// The attempts are a fencing token: a later claim has counted another one.
static const statement postpone_email{"outbox_postpone", R"(
    UPDATE outbox
    SET last_error = $4, claimed_until = NULL,
        next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond'
    WHERE id = $1 AND attempts = $2 AND failed_at IS NULL)"};

awaitable<void> postpone(pool& db, uuid id, std::int32_t attempts, std::chrono::milliseconds wait,
                         std::string cause)
{
    co_await db.run(postpone_email, id, attempts, wait.count(), cause);
}

static const statement fail_email{"outbox_mark_failed", R"(
    UPDATE outbox SET failed_at = now(), claimed_until = NULL, sealed_token = NULL, last_error = $3
    WHERE id = $1 AND attempts = $2 AND failed_at IS NULL)"};

awaitable<void> mark_failed(pool& db, uuid id, std::int32_t attempts, std::string cause)
{
    co_await db.run(fail_email, id, attempts, cause);
}

} // namespace db::outbox
