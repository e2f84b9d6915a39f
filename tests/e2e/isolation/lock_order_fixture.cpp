#include "tests/e2e/isolation/lock_order_fixture.hpp"

#include "tests/support/eventually.hpp"

#include <sstream>

namespace e2e::authorization_matrix {

namespace {

struct ranked_table {
    int rank;
    const char* name;
    /// The text that orders its rows.
    const char* id;
};

/// The lock order of db/migrations/README.md. Memberships have no place in it: who changes one holds the lock
/// on its workspace, or on its user, which every other transaction about it has to wait for. Tables of one
/// rank have no order among themselves.
constexpr ranked_table lock_order[] = {
    {0, "workspaces", "id::text"},
    {1, "users", "id::text"},
    {2, "sessions", "id::text"},
    {3, "api_keys", "id::text"},
    {4, "invites", "id::text"},
    {5, "join_requests", "user_id::text"},
    {7, "one_time_tokens", "user_id::text || purpose"},
    {7, "oauth_grants", "provider || subject"},
    {7, "avatars", "user_id::text"},
    {7, "known_devices", "user_id::text || encode(agent, 'hex') || network"},
    {8, "audit", "id::text"},
};

std::string select_rows(const ranked_table& table)
{
    return "SELECT " + std::to_string(table.rank) + " AS rank, '" + table.name + "' AS name, " + table.id +
           " AS id FROM " + table.name;
}

/// A prepared statement for the rows of all tables, one a line.
std::string prepare_rows(const std::string& name, const std::string& suffix)
{
    std::string parts, all;
    for (auto& table : lock_order) {
        std::string part = std::string("of_") + table.name;
        parts +=
            (parts.empty() ? "" : ", ") + part + " AS MATERIALIZED (" + select_rows(table) + suffix + ")";
        all += (all.empty() ? "" : " UNION ALL ") + std::string("SELECT * FROM ") + part;
    }
    return "PREPARE " + name + " AS WITH " + parts +
           " SELECT string_agg(rank || ' ' || name || ' ' || id, E'\\n') FROM (" + all + ") AS every_row";
}

/// A deferred trigger that fails the transactions of the server while there is a row in roll_back.
constexpr const char* install_rollbacks = R"(
    CREATE TABLE roll_back (wanted boolean);
    CREATE FUNCTION roll_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') = 'latchkey' AND EXISTS (SELECT FROM roll_back) THEN
            RAISE EXCEPTION 'rolled back by the test';
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        each regclass;
    BEGIN
        FOR each IN SELECT oid FROM pg_class
                    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                      AND relname NOT IN ('schema_migrations', 'nodes', 'roll_back') LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER roll_back AFTER INSERT OR UPDATE OR DELETE ON %s '
                           'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION roll_back()', each);
        END LOOP;
    END $$;
    GRANT SELECT ON roll_back TO latchkey_workspace)";

} // namespace

lock_fixture::lock_fixture()
{
    client.skip_recording(); // the contract has no 500
    sql.run(install_rollbacks);
    sql.run(prepare_rows("all_rows", ""));
    sql.run(prepare_rows("free_rows", " FOR UPDATE SKIP LOCKED"));
}

void lock_fixture::roll_everything_back(bool wanted)
{
    sql.run(wanted ? "INSERT INTO roll_back VALUES (true)" : "DELETE FROM roll_back");
}

std::vector<locked_row> lock_fixture::rows(const std::string& prepared)
{
    std::vector<locked_row> out;
    std::istringstream lines(sql.run("EXECUTE " + prepared));
    for (locked_row each; lines >> each.rank >> each.table >> each.id;)
        out.push_back(each);
    return out;
}

std::vector<locked_row> lock_fixture::locked_rows()
{
    auto free = rows("free_rows"), all = rows("all_rows");
    std::ranges::sort(free);
    std::ranges::sort(all);
    std::vector<locked_row> out;
    std::ranges::set_difference(all, free, std::back_inserter(out));
    return out;
}

void lock_fixture::lock_row(const locked_row& row)
{
    for (auto& table : lock_order)
        if (table.name == row.table)
            blocker.run("BEGIN; SELECT 1 FROM " + row.table + " WHERE " + table.id + " = '" + row.id +
                        "' FOR UPDATE");
}

bool lock_fixture::is_waiting()
{
    return sql.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "application_name = 'latchkey' AND wait_event_type = 'Lock'") != "0";
}

void lock_fixture::entangle(const participants& them)
{
    auto ids = "('" + them.user + "'::uuid, '" + them.owner + "'::uuid, '" + them.workspace + "'::uuid)";
    sql.run("CREATE TEMP TABLE IF NOT EXISTS them (person uuid, owner uuid, place uuid); DELETE FROM them; "
            "INSERT INTO them VALUES " +
            ids + R"(;
        -- A workspace of the person's own, which others have left.
        WITH own AS (
            INSERT INTO workspaces (id, name, owner_id) SELECT gen_random_uuid(), 'Own', person FROM them
            RETURNING id, owner_id),
        joined AS (INSERT INTO memberships (workspace_id, user_id, role)
                   SELECT id, owner_id, 'admin' FROM own),
        left_behind AS (UPDATE users SET last_workspace_id = own.id FROM own, them
                        WHERE users.id = them.owner AND them.owner <> them.person),
        stale AS (
            INSERT INTO sessions (id, user_id, workspace_id, refresh_salt, refreshed_ip, refreshed_agent,
                                  expires_at, ip, user_agent)
            SELECT gen_random_uuid(), who, own.id, 'x', '', '', now() + interval '1 hour', '', ''
            FROM own, them, unnest(ARRAY[person, owner, owner]) AS who)
        INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by, digest, expires_at)
        SELECT gen_random_uuid(), at, n || person::text || '@example.com', n || person::text ||
               '@example.com', 'member', person, sha256((n || person::text || at)::bytea),
               now() + interval '1 hour'
        FROM own, them, unnest(ARRAY[own.id, them.place]) AS at, generate_series(1, 2) AS n;
        INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, role, created_by)
        SELECT gen_random_uuid(), left(md5(person::text || n), 8), sha256((n || person::text)::bytea), 'k',
               '{team:read}', place, 'member', person
        FROM them, generate_series(1, 2) AS n;
        INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, request_id)
        SELECT gen_random_uuid(), place, 'a', actor, subject, '', '', ''
        FROM them, (SELECT person AS actor, owner::text AS subject FROM them
                    UNION ALL SELECT owner, person::text FROM them) AS each;
        UPDATE workspaces SET named_by = person FROM them WHERE id = place)");
}

std::string lock_fixture::count_deadlocks()
{
    support::eventually([this] {
        return sql.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                       "application_name = 'latchkey'") == "0";
    });
    return sql.run("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
}

} // namespace e2e::authorization_matrix
