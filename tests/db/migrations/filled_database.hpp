// A database with tens of thousands of rows, in which the planner decides as it does in one with millions.
#pragma once

#include "tests/support/database.hpp"

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace db::test {

/** Objects n of each kind have the id test.id(kind, n). User n owns workspace n, in which user n - 1 is an
    admin too, and has asked to join workspace n + 2. The other rows of a user refer to workspaces of theirs.
 */
class filled_database : public support::database {
public:
    filled_database()
    {
        run(R"(
            SET session_replication_role = replica;   -- no triggers
            CREATE SCHEMA test;
            CREATE FUNCTION test.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
                SELECT md5(kind || n)::uuid $$;
            INSERT INTO users (id, email, email_normalized, email_verified_at, last_workspace_id) SELECT
                test.id('user', n), n || '@x.example', n || '@x.example', now(), test.id('workspace', n + 1)
                FROM generate_series(1, 10000) AS n;
            INSERT INTO workspaces (id, name, owner_id, named_by, join_domain, join_policy) SELECT
                test.id('workspace', n), 'w', test.id('user', n), test.id('user', n), 'd' || n ||
                '.example', 'open' FROM generate_series(1, 10000) AS n;
            INSERT INTO memberships (workspace_id, user_id, role) SELECT test.id('workspace', (n + k -
                1) % 10000 + 1), test.id('user', n), 'admin' FROM generate_series(1, 10000) AS n,
                generate_series(0, 1) k;
            INSERT INTO sessions (id, user_id, workspace_id, refresh_salt, refreshed_ip,
                refreshed_agent, expires_at, ip, user_agent, revoked_at) SELECT test.id('session', n),
                test.id('user', n % 10000 + 1), test.id('workspace', n % 10000 + 1), 'x', '', '', now() +
                interval '1 day', '', '', CASE WHEN n > 15000 THEN now() END FROM generate_series(1, 30000)
                AS n;
            INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by,
                rotated_from, revoked_at) SELECT test.id('key', n), 'p' || n, sha256(n::text::bytea), 'k',
                '{a}', test.id('workspace', n % 10000 + 1), test.id('user', n % 10000 + 1), test.id('user',
                n % 10000 + 1), test.id('key', n - 1), CASE WHEN n > 15000 THEN now() END FROM
                generate_series(1, 20000) AS n;
            INSERT INTO api_key_principals SELECT * FROM api_key_principal_source;
            INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by,
                invited_with, digest, expires_at, accepted_by, accepted_at) SELECT test.id('invite', n),
                test.id('workspace', n % 10000 + 1), n || '@i.example', n || '@i.example', 'member',
                test.id('user', n % 10000 + 1), test.id('key', n), sha256(n::text::bytea), now() + interval
                '1 day', CASE WHEN n > 10000 THEN test.id('user', n % 10000 + 1) END, CASE WHEN n > 10000
                THEN now() END FROM generate_series(1, 20000) AS n;
            INSERT INTO replaced_invite_tokens SELECT sha256(('r' || n)::bytea), test.id('invite', n)
                FROM generate_series(1, 10000) AS n;
            INSERT INTO join_requests (user_id, workspace_id) SELECT test.id('user', n),
                test.id('workspace', n + 2) FROM generate_series(1, 10000) AS n;
            INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, request_id,
                subject_email, aggregate_key) SELECT test.id('event', n), test.id('workspace', n % 10000 +
                1), CASE n % 3 WHEN 0 THEN 'invite.create' ELSE 'a' END, test.id('user', n % 10000 + 1),
                test.id('user', (n + 1) % 10000 + 1), '', '', '', n % 10000 || '@x.example', 'k' || n FROM
                generate_series(1, 30000) AS n;
            INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) SELECT
                test.id('user', n), 'verify_email', sha256(n::text::bytea), n || '@x.example', now() +
                interval '1 day' FROM generate_series(1, 10000) AS n;
            INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens) SELECT
                'google', 'https://accounts.google.com', n::text, test.id('user', n), n || '@x.example', 'x'
                FROM generate_series(1, 10000) AS n;
            INSERT INTO oauth_spent_states SELECT sha256(n::text::bytea), now() + interval '1 minute'
                FROM generate_series(1, 10000) AS n;
            INSERT INTO avatars (user_id, content_type) SELECT test.id('user', n), 'image/png' FROM
                generate_series(1, 10000) AS n;
            INSERT INTO known_devices (user_id, agent) SELECT test.id('user', n), 'a' FROM
                generate_series(1, 10000) AS n;
            INSERT INTO pending_signups (id, email, email_normalized, password_hash, signup_agent,
                digest, expires_at) SELECT test.id('signup', n), n || '@p.example', n || '@p.example', '',
                '', sha256(n::text::bytea), now() + interval '1 day' FROM generate_series(1, 10000) AS n;
            INSERT INTO outbox (id, kind, user_id, recipient, variables) SELECT test.id('mail', n),
                'invite', test.id('user', n), n || '@x.example', jsonb_build_object('person_email', n ||
                '@x.example') FROM generate_series(1, 10000) AS n;
            INSERT INTO mail_sent (subject, budget, sender) SELECT sha256(n::text::bytea), 'invite',
                test.id('user', n) FROM generate_series(1, 10000) AS n;
            INSERT INTO mail_drops (kind, reason) SELECT 'invite', 'sender' FROM generate_series(1,
                10000) AS n;
            INSERT INTO usage_daily SELECT test.id('workspace', n), date '2026-01-01',
                test.id('key', n), 1, 0, 0 FROM generate_series(1, 10000) AS n;
            INSERT INTO oauth_codes (digest, sealed, expires_at) SELECT sha256(n::text::bytea), 'x',
                now() FROM generate_series(1, 10000) AS n;
            INSERT INTO oauth_revocations (id, provider, issuer, sealed_tokens) SELECT
                test.id('revocation', n), 'google', 'https://accounts.google.com', 'x'
                FROM generate_series(1, 10000) AS n;
            ANALYZE;)");
        run("SET session_replication_role = origin; SET search_path = public, test; LOAD 'auto_explain'; "
            "SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; "
            "SET auto_explain.log_level = 'notice'");
    }

    /// Execute statements and roll them back. @return the plans of all statements, nested ones included, as
    /// text
    std::string explain(const std::string& statements)
    {
        plans_.clear();
        run("BEGIN; " + statements + "; ROLLBACK");
        return plans_;
    }

private:
    static void add_plan(void* self, const PGresult* notice)
    {
        static_cast<filled_database*>(self)->plans_ += PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
        static_cast<filled_database*>(self)->plans_ += "\n";
    }

    void run(const std::string& statements)
    {
        std::unique_ptr<PGresult, decltype(&PQclear)> done(PQexec(pg_.get(), statements.c_str()), PQclear);
        auto status = PQresultStatus(done.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error(statements.substr(0, 300) + ": " + PQerrorMessage(pg_.get()));
    }

    std::string plans_;
    std::unique_ptr<PGconn, void (*)(PGconn*)> pg_ = connect();

    std::unique_ptr<PGconn, void (*)(PGconn*)> connect()
    {
        std::unique_ptr<PGconn, void (*)(PGconn*)> out(PQconnectdb(conninfo().c_str()), PQfinish);
        PQsetNoticeReceiver(out.get(), &add_plan, this);
        return out;
    }
};

} // namespace db::test
