-- Sessions of browsers. Such a session has no refresh token: the secret in the browser's cookie is all that
-- it needs, and only the server reads it.
ALTER TABLE sessions
    ADD COLUMN cookie_digest bytea,                  -- SHA-256 of 256 random bits
    ALTER COLUMN refresh_salt DROP NOT NULL,
    ADD CONSTRAINT sessions_one_secret CHECK (num_nonnulls(refresh_salt, cookie_digest) = 1);
CREATE UNIQUE INDEX sessions_cookie ON sessions (cookie_digest) WHERE cookie_digest IS NOT NULL;

-- Replaces the version of 0020: the digest of the cookie is a secret of sessions too.
CREATE OR REPLACE FUNCTION workspace_privileges(p_table name, p_column name) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_table IN ('schema_migrations', 'signing_keys', 'one_time_tokens', 'pending_signups',
                         'oauth_grants', 'oauth_codes', 'oauth_spent_states', 'oauth_revocations',
                         'retention_sweeps', 'rate_quotas', 'api_key_principals',
                         'api_key_principal_source') THEN '{}'
        WHEN (p_table, p_column) IN (('users', 'password_hash'), ('sessions', 'refresh_salt'),
                                     ('sessions', 'cookie_digest')) THEN '{}'
        WHEN (p_table, p_column) IN (('api_keys', 'digest'), ('outbox', 'sealed_token'),
                                     ('replaced_invite_tokens', 'digest')) THEN '{INSERT}'
        ELSE '{SELECT,INSERT,UPDATE}' END::text[]
$$;
