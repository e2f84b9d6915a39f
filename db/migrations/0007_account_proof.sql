-- Proof of accounts: who reads an address's mail need not be who chose the account's password.
--
-- An account is proved once both are known to be one person: the verification link was opened with the
-- account's session or password, or the account was made by the proof itself (a provider that is
-- authoritative for the address, a password reset, an invite). A proof without knowledge of the password
-- never hands over what an unproved account holds (account pre-hijacking): the account is retired, and the
-- address gets a new one.

ALTER TABLE users
    -- The address before a change that was confirmed by the link only: if the reader of the new one turns out
    -- to be another person, the account returns to it.
    ADD COLUMN proved_email text,
    ADD COLUMN proved_email_normalized text,
    -- The verification link was opened, but with neither the session nor the password of the account.
    ADD COLUMN verified_by_link_only boolean NOT NULL DEFAULT false,
    -- The program that signed up, as known names only ("Firefox on Linux"), or empty.
    ADD COLUMN signup_agent text NOT NULL DEFAULT '';

CREATE FUNCTION is_proved(p_user users) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT p_user.email_verified_at IS NOT NULL AND NOT p_user.verified_by_link_only $$;

-- Retires an unproved account: it loses its address, password, sessions, keys, links, invites and provider
-- logins, and is disabled. Members, workspaces, profile and settings stay with it, and reach no other
-- account.
-- Returns the workspaces with revoked credentials. LK002 if the account is proved, disabled or gone by now.
CREATE FUNCTION retire_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    -- The lock orders this against a credential that is being created: it waits, and fails, or is seen.
    PERFORM FROM users u WHERE u.id = p_user_id AND NOT is_proved(u) AND u.disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account was proved or disabled' USING ERRCODE = 'LK002';
    END IF;
    UPDATE users
    SET email_normalized = 'released/' || id, disabled_at = now(), password_hash = NULL,
        password_version = password_version + 1
    WHERE id = p_user_id;
    UPDATE sessions SET revoked_at = now() WHERE user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now() WHERE user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now() WHERE created_by = p_user_id AND revoked_at IS NULL;
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    PERFORM cancel_mail(p_user_id);
    DELETE FROM join_requests WHERE user_id = p_user_id;
    DELETE FROM one_time_tokens WHERE user_id = p_user_id;
    DELETE FROM known_devices WHERE user_id = p_user_id;
    DELETE FROM oauth_grants WHERE user_id = p_user_id;
    RETURN QUERY SELECT * FROM affected_workspaces(p_user_id);
END $$;

DROP FUNCTION release_email(uuid);
DROP FUNCTION reset_unverified_account(uuid);

-- Replaces the version of 0004: the admin's account has to be proved.
CREATE OR REPLACE FUNCTION has_verified_domain(p_workspace workspaces) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_workspace.join_domain IS NOT NULL
       AND EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                   WHERE m.workspace_id = p_workspace.id AND m.role = 'admin'
                     AND is_proved(u) AND u.disabled_at IS NULL
                     AND domain_of(u.email_normalized) = p_workspace.join_domain)
$$;

-- Replaces the version of 0004: the request has no effect until the account is proved.
CREATE OR REPLACE FUNCTION resolve_join_request(p_user_id uuid, p_event jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_user      users;
    v_workspace workspaces;
BEGIN
    SELECT u.* INTO v_user FROM users u WHERE u.id = p_user_id AND is_proved(u) FOR NO KEY UPDATE;
    SELECT w.* INTO v_workspace FROM join_requests r JOIN workspaces w ON w.id = r.workspace_id
    WHERE r.user_id = v_user.id AND w.join_domain = domain_of(v_user.email_normalized) FOR KEY SHARE OF w;
    IF v_workspace.join_policy = 'open' AND has_verified_domain(v_workspace) THEN
        DELETE FROM join_requests WHERE user_id = p_user_id;
        INSERT INTO memberships (workspace_id, user_id, role) VALUES (v_workspace.id, p_user_id, 'member')
        ON CONFLICT DO NOTHING;
        INSERT INTO audit
        SELECT e.* FROM audit_event(p_event || jsonb_build_object('workspace_id', v_workspace.id,
                                                                  'actor_id', p_user_id,
                                                                  'target', p_user_id)) AS e;
    ELSIF v_workspace.id IS NOT NULL THEN
        UPDATE join_requests SET announced_at = now() WHERE user_id = p_user_id AND announced_at IS NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        INSERT INTO outbox (id, kind, variables, user_id, recipient, name)
        SELECT gen_random_uuid(), 'approval_asked',
               jsonb_build_object('person', coalesce(v_user.name, ''), 'person_email', v_user.email,
                                  'workspace', v_workspace.name),
               a.id, a.email, a.name
        FROM memberships m JOIN users a ON a.id = m.user_id
        WHERE m.workspace_id = v_workspace.id AND m.role = 'admin' AND a.disabled_at IS NULL
          AND a.email_verified_at IS NOT NULL AND wants_mail(a, 'approval_asked')
        ORDER BY m.user_id
        LIMIT 20;
    END IF;
END $$;

-- Sign-ups where an account is made only with the proof of its address. Each is pending on its own: of
-- several with one address, the first link that is opened makes the account, and the others lapse.
CREATE TABLE pending_signups (
    id               uuid PRIMARY KEY,
    email            text NOT NULL,                  -- as entered
    email_normalized text NOT NULL,                  -- lookup form
    password_hash    text NOT NULL,
    name             text,
    workspace_name   text,
    signup_agent     text NOT NULL,                  -- as in users
    digest           bytea NOT NULL,                 -- SHA-256 of the link's token
    expires_at       timestamptz NOT NULL,
    CONSTRAINT pending_signups_digest_key UNIQUE (digest)
);
CREATE INDEX pending_signups_email ON pending_signups (email_normalized, id);
-- No statement about one workspace reads them.
CREATE POLICY one_workspace ON pending_signups USING ((SELECT current_user) <> 'latchkey_workspace');
ALTER TABLE pending_signups ENABLE ROW LEVEL SECURITY;

-- Consumes a pending sign-up, with all others of its address. LK002 if it is consumed or has expired.
CREATE FUNCTION consume_pending_signup(p_digest bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_email text;
BEGIN
    DELETE FROM pending_signups WHERE digest = p_digest AND expires_at > now()
    RETURNING email_normalized INTO v_email;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the sign-up was completed or has expired' USING ERRCODE = 'LK002';
    END IF;
    DELETE FROM pending_signups WHERE email_normalized = v_email;
END $$;
