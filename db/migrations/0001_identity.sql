-- People, workspaces, memberships, sessions, API keys, the signing keys of JWTs, and the audit trail.
-- Identifiers are UUIDv7, made by the server. Secrets are never stored: passwords as argon2id, API keys as a
-- keyed digest, private signing keys sealed under the master key.

CREATE TYPE workspace_role AS ENUM ('admin', 'manager', 'member');

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL,                 -- as typed
    email_normalized  text NOT NULL,                 -- as compared
    password_hash     text,                          -- argon2id, PHC form; null: no password
    password_version  integer NOT NULL DEFAULT 0,    -- grows when the password is replaced or voided
    name              text,
    title             text,
    locale            text NOT NULL DEFAULT 'en',
    timezone          text NOT NULL DEFAULT 'UTC',
    email_verified_at timestamptz,
    disabled_at       timestamptz,
    avatar_version    integer,                       -- null: no avatar
    last_workspace_id uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_key UNIQUE (email_normalized)
);

CREATE TABLE workspaces (
    id                   uuid PRIMARY KEY,
    name                 text NOT NULL,
    owner_id             uuid NOT NULL REFERENCES users,
    members_can_mint_keys boolean NOT NULL DEFAULT true,
    created_at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX workspaces_owner ON workspaces (owner_id);

CREATE TABLE memberships (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role         workspace_role NOT NULL,
    joined_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, joined_at);

ALTER TABLE users ADD CONSTRAINT users_last_workspace
    FOREIGN KEY (last_workspace_id) REFERENCES workspaces ON DELETE SET NULL;

-- A session is one sign-in on one device. Its refresh token is the pair (id, refresh_counter) under a MAC that
-- also covers refresh_salt: the token of every counter can be recomputed, so a retry gets the same successor,
-- and neither this table nor the master key alone can forge one.
CREATE TABLE sessions (
    id               uuid PRIMARY KEY,
    user_id          uuid REFERENCES users ON DELETE CASCADE,
    workspace_id     uuid REFERENCES workspaces ON DELETE SET NULL,
    refresh_salt     bytea NOT NULL,
    refresh_counter  bigint NOT NULL DEFAULT 0,
    refreshed_at     timestamptz NOT NULL DEFAULT now(),
    refreshed_ip     text NOT NULL,                  -- who spent the previous token
    refreshed_agent  text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    last_seen_at     timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    ip               text NOT NULL,
    user_agent       text NOT NULL,
    revoked_at       timestamptz,
    CONSTRAINT sessions_account CHECK (user_id IS NOT NULL)   -- named, so that the program can tell it
) WITH (fillfactor = 85);                            -- room to write last_seen_at in place
CREATE INDEX sessions_user ON sessions (user_id, id) WHERE revoked_at IS NULL;

-- A user's key acts with the user's current role and dies with the membership; a workspace's key acts with its
-- own role and outlives its maker.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    prefix       text NOT NULL,
    digest       bytea NOT NULL,                     -- HMAC-SHA-256 of the whole key
    name         text NOT NULL,
    scopes       text[] NOT NULL,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    user_id      uuid REFERENCES users ON DELETE CASCADE,   -- null: owned by the workspace
    role         workspace_role,                     -- of a workspace's key only
    created_by   uuid REFERENCES users ON DELETE SET NULL,
    rotated_from uuid REFERENCES api_keys ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_keys_prefix_key UNIQUE (prefix),
    CONSTRAINT api_keys_digest_key UNIQUE (digest),
    CONSTRAINT api_keys_owner CHECK ((user_id IS NULL) = (role IS NOT NULL)),
    CONSTRAINT api_keys_scopes CHECK (cardinality(scopes) > 0)
) WITH (fillfactor = 85);                            -- room to write last_used_at in place
CREATE INDEX api_keys_user ON api_keys (user_id, workspace_id, id);
CREATE INDEX api_keys_workspace ON api_keys (workspace_id, id);
CREATE INDEX api_keys_rotated_from ON api_keys (rotated_from) WHERE rotated_from IS NOT NULL;

-- A key's state depends on its owner's membership too.
CREATE VIEW api_key_states AS
    SELECT k.id, k.prefix, k.digest, k.name, k.scopes, k.workspace_id, k.user_id, k.role, k.created_by,
           k.rotated_from, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
           CASE WHEN k.revoked_at IS NOT NULL OR (k.user_id IS NOT NULL AND m.user_id IS NULL) THEN 'revoked'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END AS status
    FROM api_keys k
    LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.user_id;

CREATE TABLE signing_keys (
    kid         text PRIMARY KEY,
    algorithm   text NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA')),
    public_jwk  text NOT NULL,
    sealed_key  bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    signs_from  timestamptz NOT NULL,                -- published before it signs
    retires_at  timestamptz                          -- verifies until then; null: the newest of its algorithm
);
CREATE UNIQUE INDEX signing_keys_newest ON signing_keys (algorithm) WHERE retires_at IS NULL;

CREATE TABLE audit (
    id            uuid PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    workspace_id  uuid REFERENCES workspaces ON DELETE CASCADE,
    action        text NOT NULL,
    actor_id      uuid,
    credential_id uuid,
    target        text,
    ip            text NOT NULL,
    user_agent    text NOT NULL,
    request_id    text NOT NULL,
    details       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_workspace ON audit (workspace_id, id DESC);

-- An event as the program writes it, turned into a row. A statement that changes something only sometimes can
-- thus note it in the same breath: INSERT INTO audit SELECT event.* FROM changed, audit_event($1) AS event.
CREATE FUNCTION audit_event(event jsonb) RETURNS audit LANGUAGE sql STABLE AS
    $$ SELECT jsonb_populate_record(NULL::audit, event || jsonb_build_object('at', now())) $$;
