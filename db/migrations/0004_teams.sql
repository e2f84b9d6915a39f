-- Teams: invites, requests to join, roles and ownership that change under one lock.
--
-- What is refused fails the batch with a state of its own. Earlier: LK001 the standing was lost, LK002 a token is spent,
-- LK003 a workspace would be orphaned, LK004 and LK005 a provider's account is another's. Here: LK006 a member already,
-- LK007 the owner is protected, LK008 the last admin is.

CREATE TYPE join_policy AS ENUM ('closed', 'approval', 'open');

ALTER TABLE workspaces
    ADD COLUMN join_policy join_policy NOT NULL DEFAULT 'closed',
    ADD COLUMN join_domain text;                     -- of the mail addresses that the policy is for
CREATE INDEX workspaces_join_domain ON workspaces (join_domain, id) WHERE join_domain IS NOT NULL;

CREATE INDEX memberships_role ON memberships (workspace_id, role, user_id);
DROP INDEX memberships_user;
CREATE INDEX memberships_user ON memberships (user_id, workspace_id);

-- An invite is open until it is accepted or cancelled; one that has expired is revived by sending it again.
CREATE TABLE invites (
    id               uuid PRIMARY KEY,
    workspace_id     uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    email            text NOT NULL,                  -- as typed
    email_normalized text NOT NULL,                  -- as compared
    role             workspace_role NOT NULL,
    invited_by       uuid REFERENCES users ON DELETE SET NULL,     -- who sent it last; null: a workspace's key
    invited_with     uuid REFERENCES api_keys ON DELETE SET NULL,  -- null: with a session
    digest           bytea NOT NULL,                 -- SHA-256 of the newest mail's token
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
CREATE INDEX invites_workspace ON invites (workspace_id, id) WHERE accepted_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invites_inviter ON invites (invited_by) WHERE accepted_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invites_key ON invites (invited_with) WHERE invited_with IS NOT NULL;
CREATE INDEX invites_accepted_by ON invites (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX invites_expiry ON invites (expires_at);

-- Tokens of earlier mails, so that whoever follows one can be told that there is a newer.
CREATE TABLE replaced_invite_tokens (
    digest    bytea PRIMARY KEY,
    invite_id uuid NOT NULL REFERENCES invites ON DELETE CASCADE
);
CREATE INDEX replaced_invite_tokens_invite ON replaced_invite_tokens (invite_id);

-- Somebody who has signed up with an address of a workspace's domain. Nothing comes of it before the address has been
-- verified; then the workspace's policy says whether they are a member or have to wait for an admin.
CREATE TABLE join_requests (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    announced_at timestamptz                         -- to the workspace's admins
);
CREATE INDEX join_requests_workspace ON join_requests (workspace_id, user_id);

CREATE FUNCTION domain_of(email_normalized text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT split_part(email_normalized, '@', 2) $$;

-- A workspace may name a domain; it counts once one of its admins has proved to have an address there.
CREATE FUNCTION has_proved_domain(space workspaces) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT space.join_domain IS NOT NULL
       AND EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                   WHERE m.workspace_id = space.id AND m.role = 'admin'
                     AND u.email_verified_at IS NOT NULL AND u.disabled_at IS NULL
                     AND domain_of(u.email_normalized) = space.join_domain)
$$;

-- The workspace that people with an address of this domain sign up to, the oldest of several.
CREATE FUNCTION workspace_to_join(domain text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT w.id FROM workspaces w
    WHERE w.join_domain = domain AND w.join_policy <> 'closed' AND has_proved_domain(w)
    ORDER BY w.id LIMIT 1
$$;

-- What becomes of a person's request, now that the address it rests on has been verified. The event is the admission's.
-- Where the workspace has been closed meanwhile they wait all the same, for its admins to decide.
CREATE FUNCTION settle_request(person uuid, event jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    their users;
    space workspaces;
BEGIN
    SELECT u.* INTO their FROM users u WHERE u.id = person AND u.email_verified_at IS NOT NULL FOR NO KEY UPDATE;
    SELECT w.* INTO space FROM join_requests r JOIN workspaces w ON w.id = r.workspace_id
    WHERE r.user_id = their.id AND w.join_domain = domain_of(their.email_normalized) FOR KEY SHARE OF w;
    IF space.join_policy = 'open' AND has_proved_domain(space) THEN
        DELETE FROM join_requests WHERE user_id = person;
        INSERT INTO memberships (workspace_id, user_id, role) VALUES (space.id, person, 'member') ON CONFLICT DO NOTHING;
        INSERT INTO audit
        SELECT e.* FROM audit_event(event || jsonb_build_object('workspace_id', space.id, 'actor_id', person,
                                                                'target', person)) AS e;
    ELSIF space.id IS NOT NULL THEN
        UPDATE join_requests SET announced_at = now() WHERE user_id = person AND announced_at IS NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        INSERT INTO outbox (id, kind, facts, user_id, recipient, name)
        SELECT gen_random_uuid(), 'approval_asked',
               jsonb_build_object('person', coalesce(their.name, ''), 'person_email', their.email,
                                  'workspace', space.name),
               a.id, a.email, a.name
        FROM memberships m JOIN users a ON a.id = m.user_id
        WHERE m.workspace_id = space.id AND m.role = 'admin' AND a.disabled_at IS NULL
          AND a.email_verified_at IS NOT NULL AND wants_mail(a, 'approval_asked')
        ORDER BY m.user_id
        LIMIT 20;
    END IF;
END $$;

-- Roles that somebody with this role may invite.
CREATE FUNCTION may_invite(inviter workspace_role, invitee workspace_role) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT inviter = 'admin' OR (inviter = 'manager' AND invitee <> 'admin') $$;

-- Invites rest on the rights of who made them, and end with these. No role: none is left.
CREATE FUNCTION cancel_invites(person uuid, space uuid, role_left workspace_role) RETURNS void LANGUAGE sql AS $$
    UPDATE invites SET cancelled_at = now()
    WHERE invited_by = person AND (space IS NULL OR workspace_id = space)
      AND accepted_at IS NULL AND cancelled_at IS NULL
      AND (role_left IS NULL OR NOT may_invite(role_left, role))
$$;

-- So they do with the key that they were sent with, by whatever it ends, and expire no later than it does.
CREATE FUNCTION end_invites_of_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invites SET cancelled_at = CASE WHEN NEW.revoked_at IS NOT NULL THEN now() END,
                       expires_at = least(expires_at, NEW.expires_at)
    WHERE invited_with = NEW.id AND accepted_at IS NULL AND cancelled_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER api_keys_end_invites AFTER UPDATE OF revoked_at, expires_at ON api_keys
    FOR EACH ROW WHEN (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR NEW.expires_at IS DISTINCT FROM OLD.expires_at)
    EXECUTE FUNCTION end_invites_of_key();

-- Makes a person a member, by the token of an invite to their address. Fails as a spent token does, or with LK006 if
-- they are a member already.
CREATE FUNCTION accept_invite(wanted bytea, person uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    address text;
    taken   invites;
BEGIN
    SELECT email_normalized INTO address FROM users WHERE id = person AND disabled_at IS NULL FOR NO KEY UPDATE;
    PERFORM FROM workspaces WHERE id = (SELECT workspace_id FROM invites WHERE digest = wanted) FOR KEY SHARE;
    UPDATE invites SET accepted_at = now(), accepted_by = person
    WHERE digest = wanted AND email_normalized = address AND expires_at > now()
      AND accepted_at IS NULL AND cancelled_at IS NULL
    RETURNING * INTO taken;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the invite is no more' USING ERRCODE = 'LK002';
    END IF;
    INSERT INTO memberships (workspace_id, user_id, role) VALUES (taken.workspace_id, person, taken.role)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a member already' USING ERRCODE = 'LK006';
    END IF;
    DELETE FROM join_requests WHERE user_id = person AND workspace_id = taken.workspace_id;
    RETURN taken.workspace_id;
END $$;

-- As before; with `alone` the workspace is locked, so that of all who change who belongs to it, and as what, one at a
-- time decides and writes.
DROP FUNCTION require_standing(uuid, uuid, uuid, workspace_role);
CREATE FUNCTION require_standing(credential uuid, workspace uuid, person uuid, held workspace_role, alone boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person FOR SHARE;
    IF alone THEN
        PERFORM FROM workspaces WHERE id = workspace FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM workspaces WHERE id = workspace FOR SHARE;
    END IF;
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

-- Whether this member may cease to be an admin: LK008 if no other admin would be left who can act. Whoever calls it holds
-- the workspace alone, and has made sure that they do not own it.
CREATE FUNCTION require_dispensable(space uuid, person uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM memberships WHERE workspace_id = space AND user_id = person AND role = 'admin')
       AND NOT EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                       WHERE m.workspace_id = space AND m.role = 'admin' AND m.user_id <> person
                         AND u.disabled_at IS NULL) THEN
        RAISE EXCEPTION 'the last admin' USING ERRCODE = 'LK008';
    END IF;
END $$;

-- Gives a member a role. Returns the role they had, or nothing if there is no such member. LK007: the owner is an admin.
CREATE FUNCTION set_role(space uuid, person uuid, wanted workspace_role) RETURNS workspace_role LANGUAGE plpgsql AS $$
DECLARE
    had workspace_role;
BEGIN
    PERFORM FROM workspaces WHERE id = space FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM workspaces WHERE id = space AND owner_id = person) THEN   -- before any lock on the person
        IF wanted <> 'admin' THEN
            RAISE EXCEPTION 'the owner is an admin' USING ERRCODE = 'LK007';
        END IF;
        RETURN wanted;
    END IF;
    PERFORM FROM users WHERE id = person FOR KEY SHARE;   -- who is deleting their account is gone first
    SELECT role INTO had FROM memberships WHERE workspace_id = space AND user_id = person;
    IF had <> wanted THEN
        IF had = 'admin' THEN
            PERFORM require_dispensable(space, person);
        END IF;
        UPDATE memberships SET role = wanted WHERE workspace_id = space AND user_id = person;
        PERFORM cancel_invites(person, space, wanted);
    END IF;
    RETURN had;
END $$;

-- Ends a membership, with the member's keys and sessions for this workspace. False if there is no such member; LK007 if
-- they own the workspace.
CREATE FUNCTION remove_member(space uuid, person uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces WHERE id = space FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM workspaces WHERE id = space AND owner_id = person) THEN
        RAISE EXCEPTION 'the owner stays' USING ERRCODE = 'LK007';
    END IF;
    PERFORM FROM users WHERE id = person FOR KEY SHARE;   -- as above
    PERFORM FROM memberships WHERE workspace_id = space AND user_id = person;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM require_dispensable(space, person);
    DELETE FROM memberships WHERE workspace_id = space AND user_id = person;   -- first: keys just being minted wait
    UPDATE sessions SET revoked_at = now() WHERE workspace_id = space AND user_id = person AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now() WHERE workspace_id = space AND user_id = person AND revoked_at IS NULL;
    PERFORM cancel_invites(person, space, NULL);
    RETURN true;
END $$;

-- Makes another member the owner, and an admin. The one who was stays an admin. False if there is no such member, or
-- their account is disabled; LK001 if it is not for the giver to give.
CREATE FUNCTION transfer_ownership(space uuid, giver uuid, heir uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces WHERE id = space AND owner_id = giver FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not the owner' USING ERRCODE = 'LK001';
    END IF;
    PERFORM FROM users WHERE id = heir AND disabled_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE memberships SET role = 'admin' WHERE workspace_id = space AND user_id = heir;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE workspaces SET owner_id = heir WHERE id = space;
    RETURN true;
END $$;

-- Workspaces in which something may end with a person's credentials: where they belong, and where keys are that they made
-- before they left.
CREATE FUNCTION workspaces_touched_by(person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT workspace_id FROM memberships WHERE user_id = person
    UNION
    SELECT workspace_id FROM api_keys WHERE created_by = person AND (revoked_at IS NULL OR revoked_at = now())
$$;

-- As before, with the invites that they made, and all of those into their own workspaces, whoever made them.
CREATE OR REPLACE FUNCTION dispossess(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    -- The locks on person and workspaces make whoever is just minting a key wait, or be seen.
    UPDATE users SET password_hash = NULL, password_version = password_version + 1 WHERE id = person;
    PERFORM FROM workspaces WHERE owner_id = person FOR UPDATE;
    UPDATE sessions SET revoked_at = now() WHERE user_id = person AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE revoked_at IS NULL
      AND (user_id = person OR created_by = person
           OR workspace_id IN (SELECT id FROM workspaces WHERE owner_id = person));
    PERFORM cancel_invites(person, NULL, NULL);
    UPDATE invites SET cancelled_at = now()
    WHERE workspace_id IN (SELECT id FROM workspaces WHERE owner_id = person)
      AND accepted_at IS NULL AND cancelled_at IS NULL;
    DELETE FROM one_time_tokens WHERE user_id = person;
    DELETE FROM known_devices WHERE user_id = person;
    RETURN QUERY SELECT * FROM workspaces_touched_by(person);
END $$;

-- As before, with a lock on the workspaces, so that a colleague who is just accepting an invite is waited for.
CREATE OR REPLACE FUNCTION vacate_address(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = person AND email_verified_at IS NULL AND disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM workspaces WHERE owner_id = person FOR UPDATE;
    IF EXISTS (SELECT FROM memberships mine JOIN memberships other USING (workspace_id)
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

-- As before, and the invites that they made. LK008 if a workspace of somebody else's would be left without an admin who
-- can act.
CREATE OR REPLACE FUNCTION delete_account(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    space uuid;
BEGIN
    PERFORM FROM users WHERE id = person FOR UPDATE;
    PERFORM FROM workspaces WHERE owner_id = person FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = person AND m.user_id <> person) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    FOR space IN SELECT id FROM workspaces
                 WHERE owner_id <> person
                   AND id IN (SELECT workspace_id FROM memberships WHERE user_id = person AND role = 'admin')
                 ORDER BY id FOR NO KEY UPDATE
    LOOP
        PERFORM require_dispensable(space, person);
    END LOOP;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = '' WHERE actor_id = person;
    UPDATE audit SET target = NULL WHERE target = person::text;
    PERFORM withdraw_letters(person);
    PERFORM cancel_invites(person, NULL, NULL);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = person RETURNING id;
    DELETE FROM users WHERE id = person;
END $$;

-- A key whose owner leaves is revoked in the same transaction, so its state is its own to tell.
CREATE OR REPLACE VIEW api_key_states WITH (security_invoker = true) AS
    SELECT k.id, k.prefix, k.digest, k.name, k.scopes, k.workspace_id, k.user_id, k.role, k.created_by,
           k.rotated_from, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END AS status
    FROM api_keys k;

-- Keys are listed by their state too, and those in one may be few among many in another. Why nulls, which there are none
-- of, come last: db/tables/keyset_pagination.hpp.
DROP INDEX api_keys_user, api_keys_workspace;
CREATE INDEX api_keys_user ON api_keys (user_id, workspace_id, id DESC NULLS LAST);
CREATE INDEX api_keys_workspace ON api_keys (workspace_id, id DESC NULLS LAST);
CREATE INDEX api_keys_user_live ON api_keys (user_id, workspace_id, id DESC NULLS LAST) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_user_revoked ON api_keys (user_id, workspace_id, id DESC NULLS LAST) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_workspace_live ON api_keys (workspace_id, id DESC NULLS LAST) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_workspace_revoked ON api_keys (workspace_id, id DESC NULLS LAST) WHERE revoked_at IS NOT NULL;

-- An account that goes is looked for in these.
CREATE INDEX api_keys_creator ON api_keys (created_by) WHERE created_by IS NOT NULL;

-- The audit trail is read by workspace, and by what is asked for within it; an account that goes is looked for by actor
-- and target alone.
DROP INDEX audit_workspace;
CREATE INDEX audit_workspace ON audit (workspace_id, id DESC NULLS LAST);
CREATE INDEX audit_workspace_action ON audit (workspace_id, action, id DESC NULLS LAST);
DROP INDEX audit_actor;
CREATE INDEX audit_actor ON audit (actor_id, workspace_id, id DESC NULLS LAST) WHERE actor_id IS NOT NULL;
DROP INDEX audit_target;
CREATE INDEX audit_target ON audit (target, workspace_id, id DESC NULLS LAST) WHERE target IS NOT NULL;
CREATE INDEX audit_credential ON audit (credential_id, workspace_id, id DESC NULLS LAST) WHERE credential_id IS NOT NULL;
