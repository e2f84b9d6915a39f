-- Email, one-time tokens, sign-in through an OpenID provider, avatars, notification preferences, known
-- devices.

ALTER TABLE users ADD COLUMN notifications jsonb NOT NULL DEFAULT '{}';   -- {kind: {channel: bool}}

-- Transactional outbox: a row is inserted in the transaction of the change that causes the email, locked
-- while a worker sends it, and deleted after delivery.
CREATE TABLE outbox (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL,
    user_id         uuid,                            -- no foreign key: a deletion must not wait for delivery
    recipient       text NOT NULL,
    name            text,
    variables       jsonb NOT NULL DEFAULT '{}',     -- template variables; no secret
    sealed_token    bytea,                           -- of the link, encrypted; null: no link, or failed
    created_at      timestamptz NOT NULL DEFAULT now(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    failed_at       timestamptz,                     -- permanent failure
    last_error      text
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE failed_at IS NULL;
CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_user ON outbox (user_id);

-- Deletes the queued emails of a user; skips one that is being sent.
CREATE FUNCTION cancel_mail(p_user_id uuid) RETURNS void LANGUAGE sql AS
    $$ DELETE FROM outbox
       WHERE id IN (SELECT id FROM outbox WHERE user_id = p_user_id FOR UPDATE SKIP LOCKED) $$;

-- Whether a user accepts emails of this kind. Mandatory kinds are never stored as false.
CREATE FUNCTION wants_mail(p_user users, p_kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce((p_user.notifications #>> ARRAY[p_kind, 'email'])::boolean, true) $$;

-- One valid token per user and purpose: a new one replaces the old one.
CREATE TABLE one_time_tokens (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose    text NOT NULL,
    digest     bytea NOT NULL,                       -- SHA-256 of 32 random bytes
    email      text NOT NULL,                        -- address the token was sent to, and verifies
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, purpose),
    CONSTRAINT one_time_tokens_digest_key UNIQUE (digest)
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- Consumes a token. Fails the transaction with LK002 if it is invalid: of two concurrent uses one fails.
CREATE FUNCTION consume_one_time_token(p_digest bytea, p_purpose text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM one_time_tokens USING users
    WHERE digest = p_digest AND purpose = p_purpose AND expires_at > now() AND users.id = user_id
      AND (purpose = 'change_email' OR one_time_tokens.email = users.email);   -- not to a previous address
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is invalid or expired' USING ERRCODE = 'LK002';
    END IF;
END $$;

-- Defense against account pre-hijacking. Removes everything that an attacker may have prepared in an account
-- before its email address was verified: password, sessions, links, and every key they could have created,
-- including those of the workspaces it owns. Returns the affected workspaces.
CREATE FUNCTION reset_unverified_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    -- The locks on user and workspaces order this against a key that is being minted: it waits, or is seen.
    UPDATE users SET password_hash = NULL, password_version = password_version + 1 WHERE id = p_user_id;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    UPDATE sessions SET revoked_at = now() WHERE user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE revoked_at IS NULL
      AND (user_id = p_user_id OR created_by = p_user_id
           OR workspace_id IN (SELECT id FROM workspaces WHERE owner_id = p_user_id));
    DELETE FROM one_time_tokens WHERE user_id = p_user_id;
    DELETE FROM known_devices WHERE user_id = p_user_id;
    RETURN QUERY SELECT workspace_id FROM memberships WHERE user_id = p_user_id;
END $$;

-- Releases the email address of an account that never verified it, so that another user can sign up with it.
-- An account without sessions is deleted. One with sessions is disabled and keeps what it owns, for an
-- operator to restore, since neither side has proved ownership of the address. An account with other members
-- in its workspaces stays, and the address counts as taken. Returns the workspaces with revoked credentials.
CREATE FUNCTION release_email(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users
    WHERE id = p_user_id AND email_verified_at IS NULL AND disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM memberships own JOIN memberships other USING (workspace_id)
                            WHERE own.user_id = p_user_id AND other.user_id <> p_user_id) THEN
        RETURN;
    END IF;
    PERFORM cancel_mail(p_user_id);
    IF EXISTS (SELECT FROM sessions WHERE user_id = p_user_id) THEN
        UPDATE users SET email_normalized = 'released/' || id, disabled_at = now() WHERE id = p_user_id;
        RETURN QUERY SELECT * FROM reset_unverified_account(p_user_id);
    ELSE
        DELETE FROM workspaces WHERE owner_id = p_user_id;
        DELETE FROM users WHERE id = p_user_id;
    END IF;
END $$;

-- Deletes a user. The locks on the workspaces order it against a member who is being added. Audit events in
-- workspaces of others stay, anonymized. Returns the workspaces deleted with the user. LK003 if a workspace
-- with other members would lose its owner.
CREATE FUNCTION delete_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR UPDATE;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = p_user_id AND m.user_id <> p_user_id) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = ''
    WHERE actor_id = p_user_id;
    UPDATE audit SET target = NULL WHERE target = p_user_id::text;
    PERFORM cancel_mail(p_user_id);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = p_user_id RETURNING id;
    DELETE FROM users WHERE id = p_user_id;
END $$;
CREATE INDEX audit_actor ON audit (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_target ON audit (target) WHERE target IS NOT NULL;   -- avoids a full scan per deleted user

-- Links between users and their accounts at OpenID providers, with the provider's tokens.
CREATE TABLE oauth_grants (
    provider      text NOT NULL,
    subject       text NOT NULL,                     -- the provider's identifier of the user
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    email         text NOT NULL,                     -- as the provider reports it
    sealed_tokens bytea NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_grants_pkey PRIMARY KEY (provider, subject),
    CONSTRAINT oauth_grants_user_key UNIQUE (user_id, provider)
);

-- Replaces the version of 0002: takes the user's and the workspace's row lock first, in the same order as the
-- statements that revoke all credentials of a user or a workspace. A credential that is being created is then
-- either not created, or seen and revoked too.
CREATE OR REPLACE FUNCTION require_valid_credential(p_credential_id uuid, p_workspace_id uuid, p_user_id uuid,
                                                    p_role workspace_role) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR SHARE;
    PERFORM FROM workspaces WHERE id = p_workspace_id FOR SHARE;
    PERFORM FROM sessions WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM FROM api_keys WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    END IF;
    IF FOUND AND p_user_id IS NOT NULL AND p_workspace_id IS NOT NULL THEN
        PERFORM FROM memberships
        WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND role = p_role FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the credential was revoked or its role changed' USING ERRCODE = 'LK001';
    END IF;
END $$;

-- Credential check for a transaction that relies on a password verified earlier: LK001 if the password was
-- changed since, or the account disabled.
CREATE FUNCTION require_unchanged_password(p_user_id uuid, p_password_version integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users
    WHERE id = p_user_id AND password_version = p_password_version AND disabled_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the password was changed or the account disabled' USING ERRCODE = 'LK001';
    END IF;
END $$;

-- Links a user to a provider's account, or records another sign-in. Holds the user's row lock, so that the
-- account still exists and still has the address that the decision was based on: LK004 otherwise. LK005 if
-- the provider's account is linked to another user.
CREATE FUNCTION upsert_oauth_grant(p_provider text, p_subject text, p_user_id uuid, p_email text,
                                   p_tokens bytea, p_replaces_tokens boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user_id AND disabled_at IS NULL
        AND (email_normalized = p_email
             OR EXISTS (SELECT FROM oauth_grants WHERE user_id = p_user_id AND provider = p_provider))
        FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account was disabled or has another address' USING ERRCODE = 'LK004';
    END IF;
    INSERT INTO oauth_grants (provider, subject, user_id, email, sealed_tokens)
    VALUES (p_provider, p_subject, p_user_id, p_email, p_tokens)
    ON CONFLICT (provider, subject) DO UPDATE
    SET email = excluded.email, last_used_at = now(),
        sealed_tokens = CASE WHEN p_replaces_tokens THEN excluded.sealed_tokens
                             ELSE oauth_grants.sealed_tokens END
    WHERE oauth_grants.user_id = excluded.user_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'linked to another user' USING ERRCODE = 'LK005';
    END IF;
END $$;

-- Authorization codes of our own: a completed sign-in at the provider, not yet exchanged for a session.
CREATE TABLE oauth_codes (
    digest     bytea PRIMARY KEY,                    -- SHA-256 of the code
    sealed     bytea NOT NULL,                       -- user and PKCE challenge, encrypted
    expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_codes_expiry ON oauth_codes (expires_at);

-- Queue of provider tokens to revoke at their provider, retried until it answers.
CREATE TABLE oauth_revocations (
    id              uuid PRIMARY KEY,
    provider        text NOT NULL,
    sealed_tokens   bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oauth_revocations_due ON oauth_revocations (next_attempt_at);

-- Queues the tokens of a deleted grant for revocation, also if it is deleted with its user.
CREATE FUNCTION queue_token_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oauth_revocations (id, provider, sealed_tokens)
    VALUES (gen_random_uuid(), OLD.provider, OLD.sealed_tokens);
    RETURN OLD;
END $$;
CREATE TRIGGER oauth_grants_queue_token_revocation AFTER DELETE ON oauth_grants
    FOR EACH ROW EXECUTE FUNCTION queue_token_revocation();

CREATE TABLE avatars (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    version      integer NOT NULL DEFAULT 1,         -- never reused, so that no cache shows an old image
    content_type text NOT NULL,
    bytes        bytea                               -- null: deleted
);
ALTER TABLE avatars ALTER COLUMN bytes SET STORAGE EXTERNAL;   -- images are compressed already

-- Devices that a user has signed in from: user agents without version numbers.
CREATE TABLE known_devices (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    agent   bytea NOT NULL,                          -- SHA-256
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, agent)
);
CREATE INDEX known_devices_seen ON known_devices (seen_at);
