#include "db/migrations/renew_normalized.hpp"

#include <string_view>

namespace db {

namespace {

// The new forms, by table. A plain table, since the role may lack the privilege for temporary ones.
constexpr const char* create_forms =
    "CREATE TABLE renewed_forms (source text, id uuid, form text NOT NULL, PRIMARY KEY (source, id))";
constexpr const char* drop_forms = "DROP TABLE renewed_forms";

constexpr const char* insert_forms = R"(
    INSERT INTO renewed_forms (source, id, form)
    SELECT $1, r.id, r.form FROM unnest($2::uuid[], $3::text[]) AS r (id, form))";

// Rows with a form that can have changed: the old one was the text with A to Z in lower case. In batches by
// id.
constexpr const char* select_users = R"(
    SELECT id, email FROM users
    WHERE id > $1::uuid AND (octet_length(email) > char_length(email)
                             OR email_normalized <> lower(email_normalized COLLATE "C"))
    ORDER BY id LIMIT 1000)";
constexpr const char* select_invites = R"(
    SELECT id, email FROM invites
    WHERE id > $1::uuid AND (octet_length(email) > char_length(email)
                             OR email_normalized <> lower(email_normalized COLLATE "C"))
    ORDER BY id LIMIT 1000)";
constexpr const char* select_join_domains = R"(
    SELECT id, join_domain FROM workspaces
    WHERE id > $1::uuid AND (octet_length(join_domain) > char_length(join_domain)
                             OR join_domain <> lower(join_domain COLLATE "C"))
    ORDER BY id LIMIT 1000)";

struct source {
    const char* table;
    const char* select;
    std::string (*text_normalizers::*normalize)(std::string_view);
};

constexpr source sources[] = {
    {"users", select_users, &text_normalizers::email},
    {"invites", select_invites, &text_normalizers::email},
    {"workspaces", select_join_domains, &text_normalizers::domain},
};

// For accounts that released their address before, or by a collision.
constexpr const char* renew_released = R"(
    UPDATE users u SET released_email = f.form
    FROM renewed_forms f WHERE f.source = 'users' AND f.id = u.id AND u.email_normalized LIKE 'released/%')";

constexpr const char* release_collisions = R"(
    WITH claims AS (
        SELECT u.id, coalesce(f.form, u.email_normalized) AS form,
               u.email_verified_at, u.disabled_at, u.created_at
        FROM users u LEFT JOIN renewed_forms f ON f.source = 'users' AND f.id = u.id
        WHERE u.email_normalized NOT LIKE 'released/%'),
    ranked AS (
        SELECT id, form, first_value(id) OVER (
            PARTITION BY form
            ORDER BY email_verified_at IS NULL, disabled_at IS NOT NULL, created_at, id) AS keeper
        FROM claims WHERE form IN (SELECT form FROM renewed_forms WHERE source = 'users')),
    released AS (
        UPDATE users u SET email_normalized = 'released/' || u.id
        FROM ranked r WHERE r.id = u.id AND r.keeper <> r.id
        RETURNING r.keeper, u.id)
    SELECT keeper, id FROM released ORDER BY id)";

constexpr const char* renew_users = R"(
    UPDATE users u SET email_normalized = f.form
    FROM renewed_forms f
    WHERE f.source = 'users' AND f.id = u.id AND u.email_normalized NOT LIKE 'released/%')";

constexpr const char* cancel_duplicate_invites = R"(
    WITH ranked AS (
        SELECT i.id, row_number() OVER (
            PARTITION BY i.workspace_id, coalesce(f.form, i.email_normalized)
            ORDER BY i.sent_at DESC, i.id) AS rank
        FROM invites i LEFT JOIN renewed_forms f ON f.source = 'invites' AND f.id = i.id
        WHERE i.accepted_at IS NULL AND i.cancelled_at IS NULL)
    UPDATE invites i SET cancelled_at = now() FROM ranked r WHERE r.id = i.id AND r.rank > 1)";

constexpr const char* renew_invites = R"(
    UPDATE invites i SET email_normalized = f.form
    FROM renewed_forms f WHERE f.source = 'invites' AND f.id = i.id)";

constexpr const char* renew_join_domains = R"(
    UPDATE workspaces w SET join_domain = f.form
    FROM renewed_forms f WHERE f.source = 'workspaces' AND f.id = w.id)";

void append_element(std::string& array, std::string_view text)
{
    array += array.size() > 1 ? ",\"" : "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            array += '\\';
        array += c;
    }
    array += '"';
}

void collect(blocking_connection& db, const source& from, const text_normalizers& normalizers)
{
    const auto normalize = normalizers.*from.normalize;
    for (std::string last = "00000000-0000-0000-0000-000000000000";;) {
        const auto rows = db.query(from.select, {last});
        const int count = PQntuples(rows.get());
        if (count == 0)
            return;
        if (!normalize)
            throw failure(failure_kind::misuse,
                          "there is text to normalize, and nothing to normalize it with");
        std::string ids = "{", forms = "{";
        for (int row = 0; row < count; ++row) {
            last = PQgetvalue(rows.get(), row, 0);
            append_element(ids, last);
            append_element(forms, normalize(PQgetvalue(rows.get(), row, 1)));
        }
        db.query(insert_forms, {from.table, ids + '}', forms + '}'});
    }
}

} // namespace

void renew_normalized(blocking_connection& db, const text_normalizers& normalizers,
                      std::vector<address_collision>& collisions)
{
    db.execute(create_forms);
    for (const auto& each : sources)
        collect(db, each, normalizers);

    const auto released = db.query(release_collisions, {});
    for (int row = 0; row < PQntuples(released.get()); ++row)
        collisions.push_back({PQgetvalue(released.get(), row, 0), PQgetvalue(released.get(), row, 1)});
    for (const auto* statement : {renew_users, renew_released, cancel_duplicate_invites, renew_invites,
                                  renew_join_domains, drop_forms})
        db.execute(statement);
}

} // namespace db
