#include "db/tables/api_keys.hpp"

#include "db/postgres/columns.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/keyset_pagination.hpp"
#include "db/tables/row_locks.hpp"

namespace db::api_keys {

static const statement insert_key{"api_keys_insert", rows::of_one_workspace, R"(
    WITH owner AS (
        SELECT id, user_id FROM memberships WHERE workspace_id = $6 AND user_id = $7 FOR KEY SHARE),
    minted AS (
        INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, membership_id, role,
                              created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, (SELECT user_id FROM owner), (SELECT id FROM owner), $8, $9, $10)
        RETURNING id, prefix, name, scopes, workspace_id, user_id, role, created_by, rotated_from, created_at,
                  expires_at, last_used_at, revoked_at, rotated_at, 'active' AS status)
    SELECT )" + columns<row>() + " FROM minted"};

void add_insert(batch& work, const draft& key)
{
    work.add(insert_key, key.id, key.prefix, key.digest, key.name, key.scopes, key.workspace_id, key.user_id,
             key.role, key.created_by, key.expires_at);
}

bool owner_left(const failure& error)
{
    return error.constraint() == "api_keys_owner";
}

static const statement find_key_by_prefix{"api_keys_find_by_prefix", rows::of_one_workspace,
                                          "SELECT " + columns<row>() + R"(
    FROM api_key_states
    WHERE prefix = $3 AND workspace_id = $1 AND ($2::uuid IS NULL OR user_id = $2))"};

awaitable<std::optional<row>> find_by_prefix(pool& db, owner_filter filter, std::string prefix)
{
    auto found = co_await db.run_in_workspace(filter.workspace_id, find_key_by_prefix, filter.workspace_id,
                                              filter.user_id, prefix);
    co_return found.as_optional<row>();
}

static const statement find_key_by_digest{"api_keys_find_by_digest", "SELECT " + columns<row>() + R"(
    FROM api_key_states
    WHERE id = (SELECT id FROM api_keys WHERE digest = $1))"};

awaitable<std::optional<row>> find_by_digest(pool& db, db::digest digest)
{
    auto found = co_await db.run(find_key_by_digest, digest);
    co_return found.as_optional<row>();
}

namespace {

/// Whether keys are compared with the time of the query, the last parameter.
enum class expiry { any, before };

/// The statements of the keys in one state, a literal in SQL so that its partial index is used.
struct list_statements {
    list_statements(const char* list_own_name, const char* count_own_name, const char* list_all_name,
                    const char* count_all_name, const std::string& state, expiry end = expiry::any)
        : list_own(list_own_name, rows::of_one_workspace,
                   select_page("user_id = $2 AND workspace_id = $1", "$3", state + until(end, "$5")) +
                       " LIMIT $4"),
          count_own(count_own_name, rows::of_one_workspace,
                    count_page("user_id = $2 AND workspace_id = $1", state + until(end, "$3"))),
          list_all(list_all_name, rows::of_one_workspace,
                   select_page("workspace_id = $1", "$2", state + until(end, "$4")) + " LIMIT $3"),
          count_all(count_all_name, rows::of_one_workspace,
                    count_page("workspace_id = $1", state + until(end, "$2")))
    {}

    static std::string until(expiry end, const char* parameter)
    {
        return end == expiry::any ? "" : std::string(" AND expires_at < ") + parameter;
    }

    static std::string select_page(const std::string& of, const std::string& before, const std::string& state)
    {
        auto page = newest_first(of, before, min_uuid_literal);
        return "SELECT " + columns<row>() + " FROM api_key_states WHERE " + page.where + state + page.order;
    }

    static std::string count_page(const std::string& of, const std::string& state)
    {
        auto all = newest_first(of, max_uuid_literal, min_uuid_literal);
        return count_up_to_cap("FROM api_keys WHERE " + all.where + state + all.order);
    }

    // One user's keys and all of a workspace's use different indexes.
    statement list_own, count_own, list_all, count_all;
};

const list_statements in_any_state{"api_keys_list_own", "api_keys_count_own", "api_keys_list_all",
                                   "api_keys_count_all", ""};
const list_statements active{"api_keys_list_own_active", "api_keys_count_own_active",
                             "api_keys_list_all_active", "api_keys_count_all_active",
                             " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"};
const list_statements expired{"api_keys_list_own_expired", "api_keys_count_own_expired",
                              "api_keys_list_all_expired", "api_keys_count_all_expired",
                              " AND revoked_at IS NULL AND expires_at <= now()"};
const list_statements revoked{"api_keys_list_own_revoked", "api_keys_count_own_revoked",
                              "api_keys_list_all_revoked", "api_keys_count_all_revoked",
                              " AND revoked_at IS NOT NULL"};

/// Of the active keys, those that end before a time.
const list_statements expiring{"api_keys_list_own_expiring",
                               "api_keys_count_own_expiring",
                               "api_keys_list_all_expiring",
                               "api_keys_count_all_expiring",
                               " AND revoked_at IS NULL AND expires_at > now()",
                               expiry::before};

const list_statements& statements_for(std::optional<status> wanted)
{
    if (!wanted)
        return in_any_state;
    switch (*wanted) {
    case status::active:
        return active;
    case status::expired:
        return expired;
    case status::revoked:
        break;
    }
    return revoked;
}

} // namespace

awaitable<page> list(pool& db, query wanted)
{
    const auto& [workspace, user] = wanted.owner;
    auto& chosen = wanted.expires_before ? expiring : statements_for(wanted.status);
    auto before = wanted.before.value_or(max_uuid);
    batch work;
    work.in_workspace(workspace);
    require_index_scan(work);
    if (wanted.expires_before && user) {
        work.add(chosen.list_own, workspace, user, before, wanted.limit, wanted.expires_before);
        work.add(chosen.count_own, workspace, user, wanted.expires_before);
    } else if (wanted.expires_before) {
        work.add(chosen.list_all, workspace, before, wanted.limit, wanted.expires_before);
        work.add(chosen.count_all, workspace, wanted.expires_before);
    } else if (user) {
        work.add(chosen.list_own, workspace, user, before, wanted.limit);
        work.add(chosen.count_own, workspace, user);
    } else {
        work.add(chosen.list_all, workspace, before, wanted.limit);
        work.add(chosen.count_all, workspace);
    }
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_capped_count(found.last())};
}

static const statement list_live_keys{"api_keys_list_live", "SELECT " + columns<row>() + R"(
    FROM api_key_states
    WHERE user_id = $1 AND status = 'active'
    ORDER BY id DESC)"};

awaitable<std::vector<row>> list_live(pool& db, uuid user_id)
{
    auto found = co_await db.run(list_live_keys, user_id);
    co_return found.as_vector<row>();
}

namespace {

/// Covers every key that matches the filter, for a lost result that would have named the one.
invalidation affected_by(const owner_filter& filter)
{
    invalidation affected;
    if (filter.user_id)
        affected.users.push_back(*filter.user_id);
    else
        affected.workspaces.push_back(filter.workspace_id);
    return affected;
}

/// The key in the batch's last result, or nothing.
template <class Row>
invalidation of_last_row(const results& answers)
{
    invalidation affected;
    if (auto key = answers.last().as_optional<Row>())
        affected.credentials.push_back(key->id);
    return affected;
}

/// Why a key was not changed.
outcome rejection(const std::optional<row>& key, bool may_be_expired)
{
    if (!key)
        return outcome::unknown;
    if (key->rotated_at)
        return outcome::rotated;
    if (key->revoked_at)
        return outcome::revoked;
    return key->status == status::expired && !may_be_expired ? outcome::expired : outcome::outdated;
}

} // namespace

static const statement update_key{"api_keys_update", rows::of_one_workspace, R"(
    WITH edited AS (
        UPDATE api_keys
        SET name = coalesce($5, name),
            scopes = coalesce($6, scopes),
            expires_at = CASE WHEN $7 THEN $8 ELSE expires_at END
        WHERE prefix = $4 AND workspace_id = $2 AND ($3::uuid IS NULL OR user_id = $3)
          AND revoked_at IS NULL AND rotated_at IS NULL
          AND scopes = $9 AND expires_at IS NOT DISTINCT FROM $10 AND role IS NOT DISTINCT FROM $11
        RETURNING id)
    INSERT INTO audit SELECT event.* FROM edited, audit_event($1) AS event)"};

expected_rights rights_of(const row& key)
{
    return {key.scopes, key.expires_at, key.role};
}

awaitable<change_result> update(transaction tx, owner_filter filter, std::string prefix,
                                expected_rights expected, edit edits, audit::entry event)
{
    auto& work = tx.work();
    auto at = work.size();
    work.in_workspace(filter.workspace_id);
    work.add(update_key, audit::as_json(event), filter.workspace_id, filter.user_id, prefix, edits.name,
             edits.scopes, edits.expires_at.has_value(), edits.expires_at.value_or(std::nullopt),
             expected.scopes, expected.expires_at, expected.role);
    work.add(find_key_by_prefix, filter.workspace_id, filter.user_id, prefix);
    auto answers = co_await tx.commit(affected_by(filter), of_last_row<row>);

    change_result out;
    out.key = answers.last().as_optional<row>();
    out.outcome = answers[at].affected() == 1 ? outcome::done : rejection(out.key, true);
    co_return out;
}

static const statement revoke_key{"api_keys_revoke", rows::of_one_workspace, R"(
    WITH revoked AS (
        UPDATE api_keys SET revoked_at = now()
        WHERE prefix = $4 AND workspace_id = $2 AND ($3::uuid IS NULL OR user_id = $3) AND revoked_at IS NULL
        RETURNING id)
    INSERT INTO audit SELECT event.* FROM revoked, audit_event($1) AS event)"};

// now() is the transaction's start: equal to revoked_at only if this transaction set it.
static const statement find_revoked_key{"api_keys_find_revoked", rows::of_one_workspace, R"(
    SELECT id, prefix, name, workspace_id, user_id, revoked_at = now() AS revoked_now
    FROM api_keys
    WHERE prefix = $3 AND workspace_id = $1 AND ($2::uuid IS NULL OR user_id = $2))"};

awaitable<std::optional<revoked_key>> revoke(transaction tx, owner_filter filter, std::string prefix,
                                             audit::entry event)
{
    auto& work = tx.work();
    work.in_workspace(filter.workspace_id);
    work.add(revoke_key, audit::as_json(event), filter.workspace_id, filter.user_id, prefix);
    work.add(find_revoked_key, filter.workspace_id, filter.user_id, prefix);
    locked_rows rows{.workspace = filter.workspace_id,
                     .api_key = std::move(prefix),
                     .lock_statement = &lock_rows_statement()};
    auto at_most = affected_by(filter);
    auto answers = co_await tx.commit_in_group(std::move(rows), std::move(at_most), of_last_row<revoked_key>);
    co_return answers.last().as_optional<revoked_key>();
}

// Lock order: the workspace, which the audit event refers to, before the key.
static const statement lock_workspace_by_digest{"api_keys_lock_workspace", R"(
    SELECT FROM workspaces WHERE id = (SELECT workspace_id FROM api_keys WHERE digest = $1) FOR KEY SHARE)"};

static const statement revoke_key_by_digest{"api_keys_revoke_by_digest", R"(
    WITH revoked AS (
        UPDATE api_keys SET revoked_at = now() WHERE digest = $2 AND revoked_at IS NULL
        RETURNING prefix, workspace_id)
    INSERT INTO audit
    SELECT event.*
    FROM revoked, audit_event($1 || jsonb_build_object('workspace_id', revoked.workspace_id,
                                                       'target', prefix)) AS event)"};

static const statement find_revoked_key_by_digest{"api_keys_find_revoked_by_digest", R"(
    SELECT id, prefix, name, workspace_id, user_id, revoked_at = now() AS revoked_now
    FROM api_keys WHERE digest = $1)"};

awaitable<std::optional<revoked_key>> revoke_by_digest(transaction tx, db::digest digest, audit::entry event,
                                                       std::optional<outbox::draft> mail)
{
    auto& work = tx.work();
    work.add(lock_workspace_by_digest, digest);
    work.add(revoke_key_by_digest, audit::as_json(event), digest);
    if (mail)
        outbox::add_to_key_owner(work, *mail, digest);
    work.add(find_revoked_key_by_digest, digest);
    invalidation by_digest;
    by_digest.digests.push_back(digest);
    auto if_known = [by_digest](const results& answers) {
        auto key = answers.last().as_optional<revoked_key>();
        if (!key)
            return invalidation();
        auto affected = by_digest;
        affected.credentials.push_back(key->id); // waits for the other nodes, also if repeated
        return affected;
    };
    // Admission of the mail locks the budgets of its recipient and sender, in no order that a group can keep.
    results answers;
    locked_rows rows{.api_key_digest = digest, .lock_statement = &lock_workspace_by_digest};
    if (mail)
        answers = co_await tx.commit(by_digest, std::move(if_known));
    else
        answers = co_await tx.commit_in_group(std::move(rows), by_digest, std::move(if_known));
    co_return answers.last().as_optional<revoked_key>();
}

// The creator may have left the workspace: their row is not visible to it.
static const statement find_verified_creator{"api_keys_find_verified_creator", R"(
    SELECT EXISTS (SELECT FROM api_keys k
                   JOIN workspaces w ON w.id = k.workspace_id
                   JOIN users u ON u.id = coalesce(k.created_by, w.owner_id)
                   WHERE k.workspace_id = $1 AND k.id = $2 AND u.email_verified_at IS NOT NULL))"};

awaitable<bool> has_verified_creator(pool& db, uuid workspace_id, uuid id)
{
    auto found = co_await db.run(find_verified_creator, workspace_id, id);
    co_return found.scalar<bool>();
}

// A revoked, rotated or expired key can no longer be claimed.
static const statement claim_key{"api_keys_claim", R"(
    WITH claimed AS (
        UPDATE api_keys k SET digest = $3
        WHERE digest = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
          AND created_at > now() - $4 * interval '1 second'
          AND (user_id IS NULL OR EXISTS (
                  SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
                  WHERE w.id = k.workspace_id AND m.id = k.membership_id
                    AND (w.members_can_mint_keys OR m.role = 'admin')))
        RETURNING workspace_id, created_by)
    INSERT INTO audit
    SELECT event.*
    FROM claimed, audit_event($1 || jsonb_build_object('workspace_id', claimed.workspace_id,
                                                       'actor_id', claimed.created_by)) AS event)"};

awaitable<std::optional<row>> claim(transaction tx, db::digest claim, db::digest secret,
                                    std::chrono::minutes within, audit::entry event)
{
    auto& work = tx.work();
    work.add(lock_workspace_by_digest, claim);
    work.add(claim_key, audit::as_json(event), claim, secret, std::chrono::seconds(within).count());
    work.add(find_key_by_digest, secret);
    invalidation affected;
    affected.digests = {claim, secret};
    auto answers = co_await tx.commit(affected);
    co_return answers.last().as_optional<row>();
}

// The old row is read under its lock before its expiry is shortened, since RETURNING would show the shortened
// one. The lock on the membership makes a removal wait, so that it sees the successor and revokes it too.
static const statement rotate_key{"api_keys_rotate", rows::of_one_workspace, R"(
    WITH old AS (
        SELECT id, name, scopes, workspace_id, user_id, membership_id, role, expires_at FROM api_keys k
        WHERE prefix = $4 AND workspace_id = $2 AND ($3::uuid IS NULL OR user_id = $3)
          AND revoked_at IS NULL AND rotated_at IS NULL AND (expires_at IS NULL OR expires_at > now())
          AND scopes = $10 AND expires_at IS NOT DISTINCT FROM $11 AND role IS NOT DISTINCT FROM $12
          AND (user_id IS NULL OR EXISTS (
                  SELECT FROM memberships m
                  WHERE m.workspace_id = k.workspace_id AND m.user_id = k.user_id AND m.id = k.membership_id
                  FOR KEY SHARE))
        FOR NO KEY UPDATE),
    shortened AS (
        UPDATE api_keys k
        SET rotated_at = now(),
            revoked_at = CASE WHEN $9 = 0 THEN now() END,
            expires_at = CASE WHEN $9 = 0 THEN k.expires_at
                              ELSE least(k.expires_at, now() + $9 * interval '1 second') END
        FROM old WHERE k.id = old.id),
    minted AS (
        INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, membership_id, role,
                              created_by, rotated_from, expires_at)
        SELECT $5, $6, $7, name, scopes, workspace_id, user_id, membership_id, role, $8, id, expires_at
        FROM old
        RETURNING id)
    INSERT INTO audit SELECT event.* FROM minted, audit_event($1) AS event)"};

static const statement find_key{"api_keys_find", rows::of_one_workspace, "SELECT " + columns<row>() + R"(
    FROM api_key_states WHERE id = $1)"};

awaitable<change_result> rotate(transaction tx, owner_filter filter, std::string prefix,
                                expected_rights expected, successor next, std::chrono::seconds grace,
                                audit::entry event)
{
    auto& work = tx.work();
    auto at = work.size();
    work.in_workspace(filter.workspace_id);
    work.add(rotate_key, audit::as_json(event), filter.workspace_id, filter.user_id, prefix, next.id,
             next.prefix, next.digest, next.created_by, grace.count(), expected.scopes, expected.expires_at,
             expected.role);
    work.add(find_key, next.id);
    work.add(find_key_by_prefix, filter.workspace_id, filter.user_id, prefix);
    auto answers = co_await tx.commit(affected_by(filter), of_last_row<row>);

    change_result out;
    out.key = answers[at + 1].as_optional<row>();
    if (out.key) {
        out.outcome = outcome::done;
    } else {
        out.key = answers[at + 2].as_optional<row>();
        out.outcome = rejection(out.key, false);
    }
    co_return out;
}

static const statement find_key_successor{"api_keys_find_successor", rows::of_one_workspace, R"(
    SELECT prefix FROM api_keys WHERE rotated_from = $2 AND workspace_id = $1 ORDER BY id DESC LIMIT 1)"};

awaitable<std::optional<std::string>> find_successor(pool& db, row rotated)
{
    auto found = co_await db.run_in_workspace(rotated.workspace_id, find_key_successor, rotated.workspace_id,
                                              rotated.id);
    co_return found.as_optional<std::string>();
}

static const statement revoke_keys_of_user{"api_keys_revoke_of_user", R"(
    WITH locked AS (
        SELECT id FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE)
    UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM locked) RETURNING id)"};

void add_revoke_all_of_user(batch& work, const uuid& user_id)
{
    work.add(revoke_keys_of_user, user_id);
}

static const statement revoke_keys_of_member{"api_keys_revoke_of_member", rows::of_one_workspace, R"(
    WITH locked AS (
        SELECT id FROM api_keys WHERE workspace_id = $1 AND user_id = $2 AND revoked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM locked) RETURNING id)"};

void add_revoke_all_of_member(batch& work, const uuid& workspace_id, const uuid& user_id)
{
    work.add(revoke_keys_of_member, workspace_id, user_id);
}

} // namespace db::api_keys
