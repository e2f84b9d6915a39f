#include "db/tables/invites.hpp"

#include "db/postgres/sqlstate.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/keyset_pagination.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace db::invites {

namespace {

const std::string open = " accepted_at IS NULL AND cancelled_at IS NULL";

const std::string status_of = R"(
    CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.cancelled_at IS NOT NULL THEN 'cancelled'
         WHEN i.expires_at <= now() THEN 'expired' ELSE 'pending' END AS status)";

const std::string select_rows = R"(
    SELECT i.id, i.workspace_id, i.email, i.email_normalized, i.role, i.invited_by, i.created_at, i.sent_at,
           i.expires_at,)" + status_of +
                                " FROM invites i WHERE" + open + " AND ";

} // namespace

// An expired invite is replaced by a new one.
static const statement retire_expired{"invites_retire_expired", rows::of_one_workspace,
                                      R"(
    WITH locked AS (
        SELECT id FROM invites
        WHERE workspace_id = $1 AND email_normalized = ANY ($2) AND expires_at <= now() AND)" +
                                          open + R"(
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE invites SET cancelled_at = now() WHERE id IN (SELECT id FROM locked))"};

// An address that a concurrent batch has just invited, or that occurs twice in the list, is already_invited.
// Inserts in the order of the addresses, so that two batches with the same ones cannot deadlock.
static const statement insert_invites{"invites_insert", rows::of_one_workspace, R"(
    WITH requested AS (
        SELECT * FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bytea[])
            WITH ORDINALITY AS r (id, email, email_normalized, role, digest, ordinal)),
    known AS (
        SELECT r.id FROM requested r
        JOIN users u ON u.email_normalized = r.email_normalized
        JOIN memberships m ON m.workspace_id = $1 AND m.user_id = u.id),
    created AS (
        INSERT INTO invites (id, workspace_id, invited_by, invited_with, expires_at,
                             email, email_normalized, role, digest)
        SELECT id, $1, $2, $9, least($3, (SELECT expires_at FROM api_keys WHERE id = $9)),
               email, email_normalized, role::workspace_role, digest
        FROM requested
        WHERE id NOT IN (SELECT id FROM known)
        ORDER BY email_normalized, ordinal
        ON CONFLICT (workspace_id, email_normalized) WHERE accepted_at IS NULL AND cancelled_at IS NULL
        DO NOTHING
        RETURNING id)
    SELECT CASE WHEN r.id IN (SELECT id FROM created) THEN 'created'
                WHEN r.id IN (SELECT id FROM known) THEN 'already_member'
                ELSE 'already_invited' END
    FROM requested r ORDER BY ordinal)"};

static const statement audit_invite{"invites_audit", rows::of_one_workspace, R"(
    INSERT INTO audit SELECT event.* FROM invites i, audit_event($1) AS event WHERE i.id = $2)"};

awaitable<std::vector<outcome>> create(transaction tx, uuid workspace_id, sender from, timestamp expires_at,
                                       std::vector<draft> drafts)
{
    auto& work = tx.work();
    std::vector<uuid> ids;
    std::vector<std::string> emails, normalized, roles;
    std::vector<digest> digests;
    for (auto& each : drafts) {
        ids.push_back(each.id);
        emails.push_back(each.email);
        normalized.push_back(each.email_normalized);
        roles.emplace_back(boost::describe::enum_to_string(each.role, ""));
        digests.push_back(each.digest);
    }
    work.in_workspace(workspace_id);
    work.add(retire_expired, workspace_id, normalized);
    auto at = work.size();
    work.add(insert_invites, workspace_id, from.user_id, expires_at, ids, emails, normalized, roles, digests,
             from.key_id);
    for (auto& each : drafts) {
        if (each.mail)
            outbox::add_to_invitee(work, *each.mail, each.id, each.digest);
        each.event.target = to_string(each.id);
        work.add(audit_invite, audit::as_json(each.event), each.id);
    }
    auto answers = co_await tx.commit_without_invalidation();
    co_return answers[at].as_vector<outcome>();
}

namespace {

const keyset page_of = oldest_first("i.workspace_id", "$1", "i.id", "$2");
const keyset all_of = oldest_first("i.workspace_id", "$1", "i.id", min_uuid_literal);

// Invites are few compared with members, so that one statement serves all filters.
std::string filters(const std::string& role, const std::string& text, const std::string& include_expired)
{
    return " AND (" + role + "::workspace_role IS NULL OR i.role = " + role + ") AND (" + text +
           "::text IS NULL OR strpos(lower(normalize(i.email)), lower(normalize(" + text + "))) > 0) AND (" +
           include_expired + " OR i.expires_at > now())";
}

} // namespace

static const statement list_invites{"invites_list", rows::of_one_workspace,
                                    select_rows + page_of.where + filters("$4", "$5", "$6") + page_of.order +
                                        " LIMIT $3"};

static const statement count_invites{"invites_count", rows::of_one_workspace,
                                     count_up_to_cap("FROM invites i WHERE" + open + " AND " + all_of.where +
                                                     filters("$2", "$3", "$4") + all_of.order)};

awaitable<page> list(pool& db, query wanted)
{
    auto& [workspace, role, text, include_expired, last, limit] = wanted;
    batch work;
    work.in_workspace(workspace);
    require_index_scan(work);
    work.add(list_invites, workspace, last.value_or(min_uuid), limit, role, text, include_expired);
    work.add(count_invites, workspace, role, text, include_expired);
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_capped_count(found.last())};
}

static const statement find_invite{"invites_find", rows::of_one_workspace,
                                   select_rows + "i.workspace_id = $1 AND i.id = $2"};

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid id)
{
    auto found = co_await db.run_in_workspace(workspace_id, find_invite, workspace_id, id);
    co_return found.as_optional<row>();
}

static const statement renew_invite{"invites_renew", rows::of_one_workspace,
                                    R"(
    WITH old AS (SELECT id, digest FROM invites WHERE workspace_id = $2 AND id = $3 AND)" +
                                        open +
                                        R"( FOR NO KEY UPDATE),
    renewed AS (
        UPDATE invites
        SET digest = $4, sent_at = now(), invited_by = $6, invited_with = $7,
            expires_at = least($5, (SELECT expires_at FROM api_keys WHERE id = $7))
        FROM old WHERE invites.id = old.id
        RETURNING invites.id),
    replaced AS (INSERT INTO replaced_invite_tokens (digest, invite_id) SELECT digest, id FROM old)
    INSERT INTO audit SELECT event.* FROM renewed, audit_event($1) AS event)"};

awaitable<bool> resend(transaction tx, uuid workspace_id, uuid id, sender from, db::digest digest,
                       timestamp expires_at, outbox::draft mail, audit::entry event)
{
    auto& work = tx.work();
    auto at = work.size();
    work.in_workspace(workspace_id);
    work.add(renew_invite, audit::as_json(event), workspace_id, id, digest, expires_at, from.user_id,
             from.key_id);
    outbox::add_to_invitee(work, mail, id, digest);
    auto answers = co_await tx.commit_without_invalidation();
    co_return answers[at].affected() == 1;
}

static const statement cancel_invite{"invites_cancel", rows::of_one_workspace,
                                     R"(
    WITH cancelled AS (
        UPDATE invites SET cancelled_at = now() WHERE workspace_id = $2 AND id = $3 AND)" +
                                         open + R"( RETURNING id)
    INSERT INTO audit SELECT event.* FROM cancelled, audit_event($1) AS event)"};

awaitable<bool> cancel(transaction tx, uuid workspace_id, uuid id, audit::entry event)
{
    auto& work = tx.work();
    work.in_workspace(workspace_id);
    work.add(cancel_invite, audit::as_json(event), workspace_id, id);
    auto answers = co_await tx.commit_without_invalidation();
    co_return answers.last().affected() == 1;
}

static const statement find_by_token{"invites_find_by_token", R"(
    SELECT i.id, i.workspace_id, w.name AS workspace, i.email, i.email_normalized, i.role,
           coalesce(u.name, u.email) AS invited_by, i.expires_at, i.digest <> $1 AS is_replaced,
           EXISTS (SELECT FROM users a
                   WHERE a.email_normalized = i.email_normalized AND is_proved(a))
               AS has_account,
           EXISTS (SELECT FROM users a
                   WHERE a.email_normalized = i.email_normalized AND NOT is_proved(a))
               AS has_unproved_account,)" + status_of + R"(
    FROM invites i JOIN workspaces w ON w.id = i.workspace_id LEFT JOIN users u ON u.id = i.invited_by
    WHERE i.id = coalesce((SELECT id FROM invites WHERE digest = $1),
                          (SELECT invite_id FROM replaced_invite_tokens WHERE digest = $1)))"};

awaitable<std::optional<preview>> find_by_digest(pool& db, db::digest digest)
{
    auto found = co_await db.run(find_by_token, digest);
    co_return found.as_optional<preview>();
}

static const statement accept_invite{"invites_accept", "SELECT accept_invite($1, $2)"};

void add_accept(batch& work, const db::digest& digest, const uuid& user_id)
{
    work.add(accept_invite, digest, user_id);
}

bool was_already_member(const failure& error)
{
    return error.sqlstate() == sqlstate::already_member;
}

static const statement cancel_invites_by{"invites_cancel_all_by", "SELECT cancel_invites($1, NULL, NULL)"};

void add_cancel_all_by(batch& work, const uuid& user_id)
{
    work.add(cancel_invites_by, user_id);
}

} // namespace db::invites
