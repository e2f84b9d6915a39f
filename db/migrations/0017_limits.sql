-- The networks that a known device has signed in from. Wrong passwords of others in such a network do not
-- shut the device out. Empty: not known, since the device signed in before this migration.
ALTER TABLE known_devices ADD COLUMN network text NOT NULL DEFAULT ''; -- such as 203.0.113.0/24
ALTER TABLE known_devices DROP CONSTRAINT known_devices_pkey;
ALTER TABLE known_devices ADD PRIMARY KEY (user_id, agent, network);

-- Served deletions that sweeps have replaced. Each login changed an entry of the first.
DROP INDEX known_devices_seen;
DROP INDEX invites_expiry;

-- Rate limits that several nodes share: how much of a limit has been handed out to them in the current
-- window. Only counters of clients beyond a tenth of a node's part are here. Unlogged: a crash of PostgreSQL
-- forgets them.
CREATE UNLOGGED TABLE rate_quotas (
    subject bigint PRIMARY KEY,                      -- a keyed hash of the rule and its subject
    ends_at timestamptz NOT NULL,                    -- of the window
    quota   integer NOT NULL,                        -- requests of all nodes
    taken   integer NOT NULL,                        -- handed out in this window
    granted integer NOT NULL                         -- the last share
) WITH (fillfactor = 50);

-- Replaces the version of 0016: statements about one workspace use no quotas.
CREATE OR REPLACE FUNCTION workspace_privileges(p_table name, p_column name) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_table IN ('schema_migrations', 'signing_keys', 'one_time_tokens', 'pending_signups',
                         'oauth_grants', 'oauth_codes', 'oauth_spent_states', 'oauth_revocations',
                         'retention_sweeps', 'rate_quotas') THEN '{}'
        WHEN (p_table, p_column) IN (('users', 'password_hash'), ('sessions', 'refresh_salt')) THEN '{}'
        WHEN (p_table, p_column) IN (('api_keys', 'digest'), ('outbox', 'sealed_token'),
                                     ('replaced_invite_tokens', 'digest')) THEN '{INSERT}'
        ELSE '{SELECT,INSERT,UPDATE}' END::text[]
$$;

-- The next share of what is left of a quota. They become smaller, so that nodes keep little that they do not
-- need (guided self-scheduling).
CREATE FUNCTION next_share(p_left integer, p_nodes integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN greatest(least(p_left, greatest(p_left / p_nodes, 1)), 0);
