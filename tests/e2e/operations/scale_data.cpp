#include "tests/e2e/operations/scale_data.hpp"

#include <string_view>

namespace e2e {

namespace {

/** Objects have ids that grow with their numbers, as those of the server grow with time. Of ten people, those
    with a multiple of 5 own a workspace alone, the others share one, which number 1 of them owns. */
constexpr const char* functions = R"(
    CREATE SCHEMA scale;
    CREATE FUNCTION scale.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex(1600000000000 + n), 12, '0') || '7' || substr(md5(kind || n), 1, 3) || '8' ||
                substr(md5(kind || n), 4, 15))::uuid $$;
    CREATE FUNCTION scale.person(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT scale.id('user', n) $$;
    CREATE FUNCTION scale.workspace(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT scale.id('workspace', CASE WHEN n % 5 = 0 THEN n ELSE n / 10 * 10 + 1 END) $$;)";

/// Insert the rows of the people :n. Several rows of a person (:k) are in the order of time, not together.
constexpr std::string_view inserts[] = {
    R"(INSERT INTO users (id, email, email_normalized, password_hash, email_verified_at, last_workspace_id)
       SELECT scale.person(n), 'person' || n || '@example.com', 'person' || n || '@example.com', 'none',
              now(), scale.workspace(n) FROM :n)",
    R"(INSERT INTO workspaces (id, name, owner_id)
       SELECT scale.workspace(n), 'Workspace ' || n, scale.person(n) FROM :n WHERE n % 5 = 0 OR n % 10 = 1)",
    R"(INSERT INTO memberships (workspace_id, user_id, role, id)
       SELECT scale.workspace(n), scale.person(n),
              CASE WHEN n % 5 = 0 OR n % 10 = 1 THEN 'admin' ELSE 'member' END::workspace_role,
              scale.id('membership', n) FROM :n)",
    R"(INSERT INTO sessions (id, user_id, workspace_id, refresh_salt, refreshed_ip, refreshed_agent,
                             created_at, refreshed_at, last_seen_at, expires_at, ip, user_agent, revoked_at)
       SELECT scale.id('session', k * 10000000 + n), scale.person(n), scale.workspace(n),
              decode(md5(k || ' ' || n), 'hex'), '192.0.2.1', 'Firefox on Linux', t, t, t,
              t + interval '60 days', '192.0.2.1',
              'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
              CASE WHEN k < 80 THEN t END
       FROM (SELECT n, k, now() - interval '6 hours' * (100 - k) AS t FROM :100k) AS rows)",
    R"(INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by,
                             membership_id, revoked_at)
       SELECT scale.id('key', k * 10000000 + n), lpad(to_hex(k * 10000000 + n), 8, '0'),
              sha256((k || ' ' || n)::bytea), 'key', '{content:read}', scale.workspace(n), scale.person(n),
              scale.person(n), scale.id('membership', n), CASE WHEN k < 5 THEN now() END FROM :10k)",
    R"(INSERT INTO api_key_principals SELECT * FROM api_key_principal_source s
       WHERE NOT EXISTS (SELECT FROM api_key_principals p WHERE p.id = s.id))",
    R"(INSERT INTO audit (id, workspace_id, action, actor_id, credential_id, target, ip, user_agent,
                          request_id, details, subject_email)
       SELECT scale.id('event', k * 10000000 + n), scale.workspace(n), 'session.create', scale.person(n),
              scale.id('session', k * 50000000 + n),
              CASE k % 4 WHEN 0 THEN scale.person(n) ELSE scale.id('session', k * 50000000 + n) END,
              '192.0.2.1', 'Firefox on Linux', md5(k || ' ' || n), '{"method": "password"}',
              CASE WHEN k = 0 THEN 'person' || n || '@example.com' END FROM :20k)",
    R"(INSERT INTO known_devices (user_id, agent, seen_at)
       SELECT scale.person(n), sha256(k::text::bytea), now() - interval '1 day' * k FROM :3k)",
    R"(INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by, digest, expires_at)
       SELECT scale.id('invite', k * 10000000 + n), scale.workspace(n), 'i' || k || '@' || n || '.example',
              'i' || k || '@' || n || '.example', 'member', scale.person(n), sha256((k || ' ' || n)::bytea),
              now() + interval '5 days' FROM :10k WHERE n % 10 = 1)",
    R"(INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at)
       SELECT scale.person(n), 'change_email', sha256(n::text::bytea), 'new' || n || '@example.com',
              now() + interval '1 day' FROM :n WHERE n % 4 = 0)",
    R"(INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens)
       SELECT 'google', 'https://accounts.google.com', n, scale.person(n), 'person' || n || '@example.com',
              sha256(n::text::bytea) FROM :n WHERE n % 10 BETWEEN 2 AND 4)",
    R"(INSERT INTO avatars (user_id, content_type)
       SELECT scale.person(n), 'image/png' FROM :n WHERE n % 10 = 6)",
    R"(INSERT INTO outbox (id, kind, user_id, recipient, failed_at)
       SELECT scale.id('mail', n), 'new_device', scale.person(n), 'person' || n || '@example.com', now()
       FROM :n WHERE n % 10 = 7)",
    R"(INSERT INTO pending_signups (id, email, email_normalized, password_hash, signup_agent, digest,
                                    expires_at)
       SELECT scale.id('signup', n), n || '@pending.example', n || '@pending.example', 'none', '',
              sha256(n::text::bytea), now() + interval '1 day' FROM :n WHERE n % 10 = 8)",
    R"(INSERT INTO mail_sent (subject, budget, sender, at)
       SELECT sha256(n::text::bytea), 'invite', scale.person(n), now() FROM :n)",
    R"(INSERT INTO join_requests (user_id, workspace_id)
       SELECT scale.person(n), scale.workspace(n - 8) FROM :n WHERE n % 10 = 9)",
};

/// The indexes that no constraint needs.
constexpr const char* secondary_indexes = R"(
    FROM pg_index i JOIN pg_class c ON c.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT FROM pg_constraint WHERE conindid = indexrelid))";

void replace(std::string& text, std::string_view from, const std::string& to)
{
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

} // namespace

void prepare_people(const std::string& conninfo)
{
    support::sql(conninfo, functions);
}

void add_people(const std::string& conninfo, const people& who)
{
    support::sql_connection target(conninfo);
    target.run("SET session_replication_role = replica"); // no triggers, and no checks of foreign keys
    auto numbers = "generate_series(" + std::to_string(who.first) + ", " + std::to_string(who.last) + ", " +
                   std::to_string(who.step) + "::bigint)";
    for (auto insert : inserts) {
        std::string statement(insert);
        replace(statement, ":n", numbers + " AS n");
        for (std::string count : {"100", "20", "10", "3"}) // in this order: ":10" begins ":100"
            replace(statement, ":" + count + "k",
                    "generate_series(0::bigint, " + count +
                        " - 1) AS k, LATERAL (SELECT n + 0 * k AS n FROM " + numbers + " AS n) AS person");
        target.run(statement);
    }
}

void fill(const std::string& conninfo, const people& who)
{
    support::sql_connection target(conninfo);
    auto definitions =
        target.run("SELECT string_agg(pg_get_indexdef(indexrelid), ';')" + std::string(secondary_indexes));
    target.run(
        target.run("SELECT 'DROP INDEX ' || string_agg(relname, ', ')" + std::string(secondary_indexes)));
    add_people(conninfo, who);
    target.run("SET maintenance_work_mem = '512MB'");
    target.run(definitions);
    target.run("VACUUM ANALYZE");
    target.run("CHECKPOINT");
}

} // namespace e2e
