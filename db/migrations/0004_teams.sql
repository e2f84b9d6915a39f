-- Teams: invites, join requests, role changes and ownership transfers, serialized by the workspace's row
-- lock.
--
-- SQLSTATEs raised by these migrations: LK001 the credential was revoked, LK002 a one-time token or invite is
-- invalid, LK003 a workspace would lose its owner, LK004 and LK005 an OAuth grant conflicts, LK006 already a
-- member, LK007 the owner is protected, LK008 the last admin is protected.

CREATE TYPE join_policy AS ENUM ('closed', 'approval', 'open');

ALTER TABLE workspaces
    ADD COLUMN join_policy join_policy NOT NULL DEFAULT 'closed',
    ADD COLUMN join_domain text;                     -- email domain that the policy applies to
CREATE INDEX workspaces_join_domain ON workspaces (join_domain, id) WHERE join_domain IS NOT NULL;

CREATE INDEX memberships_role ON memberships (workspace_id, role, user_id);
DROP INDEX memberships_user;
CREATE INDEX memberships_user ON memberships (user_id, workspace_id);

-- An invite is open until it is accepted or cancelled. Resending an expired one renews it.
CREATE TABLE invites (
    id               uuid PRIMARY KEY,
    workspace_id     uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    email            text NOT NULL,                  -- as entered
    email_normalized text NOT NULL,                  -- lookup form
    role             workspace_role NOT NULL,
    invited_by       uuid REFERENCES users ON DELETE SET NULL,     -- last sender; null: a workspace key
    invited_with     uuid REFERENCES api_keys ON DELETE SET NULL,  -- null: a session
    digest           bytea NOT NULL,                 -- SHA-256 of the newest token
    created_at       timestamptz NOT NULL DEFAULT now(),
    sent_at          timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    accepted_at      timestamptz,
    accepted_by      uuid REFERENCES users ON DELETE CASCADE,
    cancelled_at     timestamptz,
    CONSTRAINT invites_digest_key UNIQUE (digest)
);
CREATE UNIQUE INDEX invites_open ON invites (workspace_id, email_normalized)
    WHERE accepted_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invites_workspace ON invites (workspace_id, id)
    WHERE accepted_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invites_inviter ON invites (invited_by) WHERE accepted_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invites_key ON invites (invited_with) WHERE invited_with IS NOT NULL;
CREATE INDEX invites_accepted_by ON invites (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX invites_expiry ON invites (expires_at);

-- Tokens of earlier emails of an invite, so that the page behind such a link can say that there is a newer
-- one.
CREATE TABLE replaced_invite_tokens (
    digest    bytea PRIMARY KEY,
    invite_id uuid NOT NULL REFERENCES invites ON DELETE CASCADE
);
CREATE INDEX replaced_invite_tokens_invite ON replaced_invite_tokens (invite_id);

-- Users who signed up with an address of a workspace's domain. A request has no effect until the address is
-- verified; then the workspace's policy decides whether the user joins or waits for an admin's approval.
CREATE TABLE join_requests (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    announced_at timestamptz                         -- when the admins were notified
);
CREATE INDEX join_requests_workspace ON join_requests (workspace_id, user_id);

CREATE FUNCTION domain_of(email_normalized text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT split_part(email_normalized, '@', 2) $$;

-- A workspace may set any join domain; it is effective only if one of its admins has a verified address
-- there.
CREATE FUNCTION has_verified_domain(p_workspace workspaces) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_workspace.join_domain IS NOT NULL
       AND EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                   WHERE m.workspace_id = p_workspace.id AND m.role = 'admin'
                     AND u.email_verified_at IS NOT NULL AND u.disabled_at IS NULL
                     AND domain_of(u.email_normalized) = p_workspace.join_domain)
$$;

-- The workspace that users with an address of this domain may join; the oldest of several.
CREATE FUNCTION workspace_for_domain(p_domain text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT w.id FROM workspaces w
    WHERE w.join_domain = p_domain AND w.join_policy <> 'closed' AND has_verified_domain(w)
    ORDER BY w.id LIMIT 1
$$;

-- Resolves the join request of a user after the email address was verified: adds the membership if the
-- workspace is open, with `p_event` as the audit event, and notifies its admins otherwise. A workspace closed
-- in the meantime keeps the request for its admins to decide.
CREATE FUNCTION resolve_join_request(p_user_id uuid, p_event jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_user      users;
    v_workspace workspaces;
BEGIN
    SELECT u.* INTO v_user FROM users u
    WHERE u.id = p_user_id AND u.email_verified_at IS NOT NULL FOR NO KEY UPDATE;
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

-- Whether a member with one role may invite another user with a given role.
CREATE FUNCTION may_invite(p_inviter workspace_role, p_invitee workspace_role) RETURNS boolean
LANGUAGE sql IMMUTABLE AS
    $$ SELECT p_inviter = 'admin' OR (p_inviter = 'manager' AND p_invitee <> 'admin') $$;

-- Cancels the open invites that a user may no longer make: those that their new role does not permit, or all
-- without one. Workspace null: in every workspace.
CREATE FUNCTION cancel_invites(p_user_id uuid, p_workspace_id uuid, p_new_role workspace_role) RETURNS void
LANGUAGE sql AS $$
    UPDATE invites SET cancelled_at = now()
    WHERE invited_by = p_user_id AND (p_workspace_id IS NULL OR workspace_id = p_workspace_id)
      AND accepted_at IS NULL AND cancelled_at IS NULL
      AND (p_new_role IS NULL OR NOT may_invite(p_new_role, role))
$$;

-- Invites made with an API key are cancelled when the key is revoked, by any path, and expire no later than
-- it.
CREATE FUNCTION sync_invites_with_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invites SET cancelled_at = CASE WHEN NEW.revoked_at IS NOT NULL THEN now() END,
                       expires_at = least(expires_at, NEW.expires_at)
    WHERE invited_with = NEW.id AND accepted_at IS NULL AND cancelled_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER api_keys_sync_invites AFTER UPDATE OF revoked_at, expires_at ON api_keys
    FOR EACH ROW WHEN (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
                       OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION sync_invites_with_key();

-- Adds a user to a workspace, by the token of an invite to their address. LK002 if the invite is invalid,
-- LK006 if the user is a member already.
CREATE FUNCTION accept_invite(p_digest bytea, p_user_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_email  text;
    v_invite invites;
BEGIN
    SELECT email_normalized INTO v_email FROM users
    WHERE id = p_user_id AND disabled_at IS NULL FOR NO KEY UPDATE;
    PERFORM FROM workspaces
    WHERE id = (SELECT workspace_id FROM invites WHERE digest = p_digest) FOR KEY SHARE;
    UPDATE invites SET accepted_at = now(), accepted_by = p_user_id
    WHERE digest = p_digest AND email_normalized = v_email AND expires_at > now()
      AND accepted_at IS NULL AND cancelled_at IS NULL
    RETURNING * INTO v_invite;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the invite is invalid or expired' USING ERRCODE = 'LK002';
    END IF;
    INSERT INTO memberships (workspace_id, user_id, role)
    VALUES (v_invite.workspace_id, p_user_id, v_invite.role)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'already a member' USING ERRCODE = 'LK006';
    END IF;
    DELETE FROM join_requests WHERE user_id = p_user_id AND workspace_id = v_invite.workspace_id;
    RETURN v_invite.workspace_id;
END $$;

-- Replaces the version of 0003: with `p_exclusive` the workspace's row lock is exclusive, so that changes of
-- its members and their roles are serialized.
DROP FUNCTION require_valid_credential(uuid, uuid, uuid, workspace_role);
CREATE FUNCTION require_valid_credential(p_credential_id uuid, p_workspace_id uuid, p_user_id uuid,
                                         p_role workspace_role, p_exclusive boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR SHARE;
    IF p_exclusive THEN
        PERFORM FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM workspaces WHERE id = p_workspace_id FOR SHARE;
    END IF;
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

-- LK008 if the user is the only admin of the workspace with an enabled account. The caller holds the
-- workspace's exclusive row lock and has made sure that the user is not the owner.
CREATE FUNCTION require_other_admin(p_workspace_id uuid, p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM memberships
               WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND role = 'admin')
       AND NOT EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                       WHERE m.workspace_id = p_workspace_id AND m.role = 'admin' AND m.user_id <> p_user_id
                         AND u.disabled_at IS NULL) THEN
        RAISE EXCEPTION 'the last admin' USING ERRCODE = 'LK008';
    END IF;
END $$;

-- Sets a member's role. Returns the previous role, or null if there is no such member. LK007: the owner must
-- be an admin.
CREATE FUNCTION set_member_role(p_workspace_id uuid, p_user_id uuid, p_role workspace_role)
RETURNS workspace_role LANGUAGE plpgsql AS $$
DECLARE
    v_previous workspace_role;
BEGIN
    PERFORM FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
    -- Checked before any lock on the user.
    IF EXISTS (SELECT FROM workspaces WHERE id = p_workspace_id AND owner_id = p_user_id) THEN
        IF p_role <> 'admin' THEN
            RAISE EXCEPTION 'the owner must be an admin' USING ERRCODE = 'LK007';
        END IF;
        RETURN p_role;
    END IF;
    PERFORM FROM users WHERE id = p_user_id FOR KEY SHARE;   -- waits for a deletion of the account
    SELECT role INTO v_previous FROM memberships WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
    IF v_previous <> p_role THEN
        IF v_previous = 'admin' THEN
            PERFORM require_other_admin(p_workspace_id, p_user_id);
        END IF;
        UPDATE memberships SET role = p_role WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
        PERFORM cancel_invites(p_user_id, p_workspace_id, p_role);
    END IF;
    RETURN v_previous;
END $$;

-- Deletes a membership and revokes the member's keys and sessions for this workspace. False if there is no
-- such member; LK007 if the user owns the workspace.
CREATE FUNCTION remove_member(p_workspace_id uuid, p_user_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM workspaces WHERE id = p_workspace_id AND owner_id = p_user_id) THEN
        RAISE EXCEPTION 'the owner cannot be removed' USING ERRCODE = 'LK007';
    END IF;
    PERFORM FROM users WHERE id = p_user_id FOR KEY SHARE;   -- waits for a deletion of the account
    PERFORM FROM memberships WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM require_other_admin(p_workspace_id, p_user_id);
    -- The membership goes first: its lock orders this against keys that are being minted.
    DELETE FROM memberships WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
    UPDATE sessions SET revoked_at = now()
    WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL;
    PERFORM cancel_invites(p_user_id, p_workspace_id, NULL);
    RETURN true;
END $$;

-- Makes another member the owner, and an admin; the previous owner stays an admin. False if there is no such
-- member, or their account is disabled; LK001 if `p_from_owner` is not the owner.
CREATE FUNCTION transfer_ownership(p_workspace_id uuid, p_from_owner uuid, p_to_owner uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces WHERE id = p_workspace_id AND owner_id = p_from_owner FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not the owner' USING ERRCODE = 'LK001';
    END IF;
    PERFORM FROM users WHERE id = p_to_owner AND disabled_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE memberships SET role = 'admin' WHERE workspace_id = p_workspace_id AND user_id = p_to_owner;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE workspaces SET owner_id = p_to_owner WHERE id = p_workspace_id;
    RETURN true;
END $$;

-- Workspaces in which a user's credentials may be revoked with the account: those of the memberships, and
-- those with keys that the user created before leaving.
CREATE FUNCTION affected_workspaces(p_user_id uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT workspace_id FROM memberships WHERE user_id = p_user_id
    UNION
    SELECT workspace_id FROM api_keys
    WHERE created_by = p_user_id AND (revoked_at IS NULL OR revoked_at = now())
$$;

-- Replaces the version of 0003: also cancels the user's invites, and all invites into workspaces the user
-- owns.
CREATE OR REPLACE FUNCTION reset_unverified_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    -- The locks on user and workspaces order this against a key that is being minted: it waits, or is seen.
    UPDATE users SET password_hash = NULL, password_version = password_version + 1 WHERE id = p_user_id;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    UPDATE sessions SET revoked_at = now() WHERE user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE revoked_at IS NULL
      AND (user_id = p_user_id OR created_by = p_user_id
           OR workspace_id IN (SELECT id FROM workspaces WHERE owner_id = p_user_id));
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    UPDATE invites SET cancelled_at = now()
    WHERE workspace_id IN (SELECT id FROM workspaces WHERE owner_id = p_user_id)
      AND accepted_at IS NULL AND cancelled_at IS NULL;
    DELETE FROM one_time_tokens WHERE user_id = p_user_id;
    DELETE FROM known_devices WHERE user_id = p_user_id;
    RETURN QUERY SELECT * FROM affected_workspaces(p_user_id);
END $$;

-- Replaces the version of 0003: locks the workspaces, so that it waits for an invite that is being accepted.
CREATE OR REPLACE FUNCTION release_email(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users
    WHERE id = p_user_id AND email_verified_at IS NULL AND disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    IF EXISTS (SELECT FROM memberships own JOIN memberships other USING (workspace_id)
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

-- Replaces the version of 0003: also cancels the user's invites. LK008 if a workspace of another owner would
-- be left without an enabled admin.
CREATE OR REPLACE FUNCTION delete_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_workspace_id uuid;
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR UPDATE;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = p_user_id AND m.user_id <> p_user_id) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    FOR v_workspace_id IN
        SELECT id FROM workspaces
        WHERE owner_id <> p_user_id
          AND id IN (SELECT workspace_id FROM memberships WHERE user_id = p_user_id AND role = 'admin')
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        PERFORM require_other_admin(v_workspace_id, p_user_id);
    END LOOP;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = ''
    WHERE actor_id = p_user_id;
    UPDATE audit SET target = NULL WHERE target = p_user_id::text;
    PERFORM cancel_mail(p_user_id);
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = p_user_id RETURNING id;
    DELETE FROM users WHERE id = p_user_id;
END $$;

-- A key is now revoked in the transaction that removes its owner, so its status needs no membership.
CREATE OR REPLACE VIEW api_key_states WITH (security_invoker = true) AS
    SELECT k.id, k.prefix, k.digest, k.name, k.scopes, k.workspace_id, k.user_id, k.role, k.created_by,
           k.rotated_from, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END AS status
    FROM api_keys k;

-- Key lists are filtered by status, and keys of one status may be few among many of another. NULLS LAST, on a
-- column without nulls: see db/tables/keyset_pagination.hpp.
DROP INDEX api_keys_user, api_keys_workspace;
CREATE INDEX api_keys_user ON api_keys (user_id, workspace_id, id DESC NULLS LAST);
CREATE INDEX api_keys_workspace ON api_keys (workspace_id, id DESC NULLS LAST);
CREATE INDEX api_keys_user_live ON api_keys (user_id, workspace_id, id DESC NULLS LAST)
    WHERE revoked_at IS NULL;
CREATE INDEX api_keys_user_revoked ON api_keys (user_id, workspace_id, id DESC NULLS LAST)
    WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_workspace_live ON api_keys (workspace_id, id DESC NULLS LAST)
    WHERE revoked_at IS NULL;
CREATE INDEX api_keys_workspace_revoked ON api_keys (workspace_id, id DESC NULLS LAST)
    WHERE revoked_at IS NOT NULL;

-- Serves the foreign key's ON DELETE SET NULL.
CREATE INDEX api_keys_creator ON api_keys (created_by) WHERE created_by IS NOT NULL;

-- The audit log is listed by workspace and one filter. Deleting a user looks up actor and target alone.
DROP INDEX audit_workspace;
CREATE INDEX audit_workspace ON audit (workspace_id, id DESC NULLS LAST);
CREATE INDEX audit_workspace_action ON audit (workspace_id, action, id DESC NULLS LAST);
DROP INDEX audit_actor;
CREATE INDEX audit_actor ON audit (actor_id, workspace_id, id DESC NULLS LAST)
    WHERE actor_id IS NOT NULL;
DROP INDEX audit_target;
CREATE INDEX audit_target ON audit (target, workspace_id, id DESC NULLS LAST)
    WHERE target IS NOT NULL;
CREATE INDEX audit_credential ON audit (credential_id, workspace_id, id DESC NULLS LAST)
    WHERE credential_id IS NOT NULL;
