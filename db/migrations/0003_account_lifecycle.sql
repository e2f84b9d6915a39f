-- Mail, one-time tokens, sign-in through a provider, avatars, notification preferences, known devices.

ALTER TABLE users ADD COLUMN notifications jsonb NOT NULL DEFAULT '{}';   -- {kind: {channel: bool}}, where changed

-- Mail that is still to be sent. A row is written in the transaction of what it tells of, locked while it is being
-- sent, and removed when it has been.
CREATE TABLE outbox (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL,
    user_id         uuid,                            -- no reference: nothing may wait for a letter that is being sent
    recipient       text NOT NULL,
    name            text,
    facts           jsonb NOT NULL DEFAULT '{}',     -- what the letter tells; no secret
    sealed_token    bytea,                           -- of the letter's link; wiped when the letter is given up
    created_at      timestamptz NOT NULL DEFAULT now(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    failed_at       timestamptz,                     -- given up
    last_error      text
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE failed_at IS NULL;
CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_user ON outbox (user_id);

-- Letters of somebody who goes; one that is being sent just now is let go.
CREATE FUNCTION withdraw_letters(person uuid) RETURNS void LANGUAGE sql AS
    $$ DELETE FROM outbox
       WHERE id IN (SELECT id FROM outbox WHERE user_id = person FOR UPDATE SKIP LOCKED) $$;

-- Whether a person wants this kind of mail. Kinds that cannot be switched off are never stored as false.
CREATE FUNCTION wants_mail(person users, kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce((person.notifications #>> ARRAY[kind, 'email'])::boolean, true) $$;

-- One live token for each person and purpose: a newer one takes the place of the older.
CREATE TABLE one_time_tokens (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose    text NOT NULL,
    digest     bytea NOT NULL,                       -- SHA-256 of 32 random bytes
    email      text NOT NULL,                        -- the address that it was sent to, and vouches for
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, purpose),
    CONSTRAINT one_time_tokens_digest_key UNIQUE (digest)
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- Spends a token, or fails the whole transaction: of two that come at the same time, one finds it gone.
CREATE FUNCTION spend_token(wanted bytea, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM one_time_tokens USING users
    WHERE digest = wanted AND purpose = what AND expires_at > now() AND users.id = user_id
      AND (purpose = 'change_email' OR one_time_tokens.email = users.email);   -- not one for a former address
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is no more' USING ERRCODE = 'LK002';
    END IF;
END $$;

-- What somebody may have planted in an account before its address was proved: password, sessions, links, and every key
-- that they could have made, those of the account's own workspaces included. Returns these workspaces.
CREATE FUNCTION dispossess(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    -- The locks on person and workspaces make whoever is just minting a key wait, or be seen.
    UPDATE users SET password_hash = NULL, password_version = password_version + 1 WHERE id = person;
    PERFORM FROM workspaces WHERE owner_id = person FOR UPDATE;
    UPDATE sessions SET revoked_at = now() WHERE user_id = person AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE revoked_at IS NULL
      AND (user_id = person OR created_by = person
           OR workspace_id IN (SELECT id FROM workspaces WHERE owner_id = person));
    DELETE FROM one_time_tokens WHERE user_id = person;
    DELETE FROM known_devices WHERE user_id = person;
    RETURN QUERY SELECT workspace_id FROM memberships WHERE user_id = person;
END $$;

-- Makes room for somebody who signs up with the address of an account that never proved it to be its own. Who has
-- never signed in has nothing to lose and goes; else the account is shut and keeps what it owns, for an operator to
-- restore, since neither side has proved anything. One that has colleagues stays: the address counts as taken.
-- Returns the workspaces in which credentials end.
CREATE FUNCTION vacate_address(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person AND email_verified_at IS NULL AND disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM memberships mine JOIN memberships other USING (workspace_id)
                            WHERE mine.user_id = person AND other.user_id <> person) THEN
        RETURN;
    END IF;
    PERFORM withdraw_letters(person);
    IF EXISTS (SELECT FROM sessions WHERE user_id = person) THEN
        UPDATE users SET email_normalized = 'vacated/' || id, disabled_at = now() WHERE id = person;
        RETURN QUERY SELECT * FROM dispossess(person);
    ELSE
        DELETE FROM workspaces WHERE owner_id = person;
        DELETE FROM users WHERE id = person;
    END IF;
END $$;

-- Takes a person out of the database. The locks on their workspaces make a member who is just being added wait, or
-- be seen. What they did stays in the audit trail of others, without telling who it was. Returns the workspaces that go
-- with them.
CREATE FUNCTION delete_account(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person FOR UPDATE;
    PERFORM FROM workspaces WHERE owner_id = person FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = person AND m.user_id <> person) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = '' WHERE actor_id = person;
    UPDATE audit SET target = NULL WHERE target = person::text;
    PERFORM withdraw_letters(person);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = person RETURNING id;
    DELETE FROM users WHERE id = person;
END $$;
CREATE INDEX audit_actor ON audit (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_target ON audit (target) WHERE target IS NOT NULL;   -- or every deletion would read all of it

-- Who signs in through a provider, and what the provider lets us do.
CREATE TABLE oauth_grants (
    provider      text NOT NULL,
    subject       text NOT NULL,                     -- the provider's name for the person
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    email         text NOT NULL,                     -- as the provider has it
    sealed_tokens bytea NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_grants_pkey PRIMARY KEY (provider, subject),
    CONSTRAINT oauth_grants_user_key UNIQUE (user_id, provider)
);

-- As before, and beginning with the locks that whoever ends all credentials of a person or a workspace takes first: of
-- what is being made with one of them, either nothing is made or it is seen and ended too.
CREATE OR REPLACE FUNCTION require_standing(credential uuid, workspace uuid, person uuid, held workspace_role)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person FOR SHARE;
    PERFORM FROM workspaces WHERE id = workspace FOR SHARE;
    PERFORM FROM sessions WHERE id = credential AND revoked_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM FROM api_keys WHERE id = credential AND revoked_at IS NULL FOR NO KEY UPDATE;
    END IF;
    IF FOUND AND person IS NOT NULL AND workspace IS NOT NULL THEN
        PERFORM FROM memberships WHERE workspace_id = workspace AND user_id = person AND role = held FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the credential, or the role it rested on, is no more' USING ERRCODE = 'LK001';
    END IF;
END $$;

-- Whoever has proved a password, and then does what rests on that proof, must find it unchanged.
CREATE FUNCTION require_password_version(person uuid, version integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person AND password_version = version AND disabled_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the password is not what it was' USING ERRCODE = 'LK001';
    END IF;
END $$;

-- Links a person to a provider's account, or notes another sign-in. Under the person's lock, so that the address that
-- the decision rested on is still theirs, and they are still there.
CREATE FUNCTION put_grant(its_provider text, its_subject text, person uuid, address text, tokens bytea,
                          outlasts boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person AND disabled_at IS NULL
        AND (email_normalized = address OR EXISTS (SELECT FROM oauth_grants WHERE user_id = person AND provider = its_provider))
        FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account is not what it was' USING ERRCODE = 'LK004';
    END IF;
    INSERT INTO oauth_grants (provider, subject, user_id, email, sealed_tokens)
    VALUES (its_provider, its_subject, person, address, tokens)
    ON CONFLICT (provider, subject) DO UPDATE
    SET email = excluded.email, last_used_at = now(),
        sealed_tokens = CASE WHEN outlasts THEN excluded.sealed_tokens ELSE oauth_grants.sealed_tokens END
    WHERE oauth_grants.user_id = excluded.user_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'linked to another person' USING ERRCODE = 'LK005';
    END IF;
END $$;

-- A sign-in that came back from the provider and has yet to be exchanged for a session.
CREATE TABLE oauth_codes (
    digest     bytea PRIMARY KEY,                    -- SHA-256 of the code
    sealed     bytea NOT NULL,                       -- who it is, and the challenge that the exchange must meet
    expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_codes_expiry ON oauth_codes (expires_at);

-- Tokens to be revoked at their provider: done as soon as that answers.
CREATE TABLE oauth_revocations (
    id              uuid PRIMARY KEY,
    provider        text NOT NULL,
    sealed_tokens   bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oauth_revocations_due ON oauth_revocations (next_attempt_at);

-- Whoever goes, or loses the grant: what it let us do is given back.
CREATE FUNCTION give_grant_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oauth_revocations (id, provider, sealed_tokens)
    VALUES (gen_random_uuid(), OLD.provider, OLD.sealed_tokens);
    RETURN OLD;
END $$;
CREATE TRIGGER oauth_grants_deleted AFTER DELETE ON oauth_grants
    FOR EACH ROW EXECUTE FUNCTION give_grant_back();

CREATE TABLE avatars (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    version      integer NOT NULL DEFAULT 1,         -- grows for ever, so that no cache shows another's picture
    content_type text NOT NULL,
    bytes        bytea                               -- null: taken down
);
ALTER TABLE avatars ALTER COLUMN bytes SET STORAGE EXTERNAL;   -- pictures do not shrink any further

-- From what a person has signed in before: an agent without its version numbers.
CREATE TABLE known_devices (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    agent   bytea NOT NULL,                          -- SHA-256
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, agent)
);
CREATE INDEX known_devices_seen ON known_devices (seen_at);
