-- One order of row locks for all transactions, so that none can deadlock: workspaces, users, sessions, API
-- keys, invites, join requests, everything else; several rows of a table in the order of their ids.
-- Memberships are changed under the lock on their workspace or their user. A foreign key locks the row that
-- it refers to, and a trigger what it changes: a transaction locks such rows beforehand. The functions that
-- this file replaces deviated from the order.

-- Locks rows in the lock order, ahead of everything else that a transaction does. The strength is 'key
-- share', 'share', 'no key update' or 'update': the strongest that the transaction needs, since raising a
-- lock that others hold too deadlocks. `p_joining`: also the workspaces of the users' join requests.
-- `p_sessions_of`: all sessions of this user.
CREATE FUNCTION lock_rows(p_workspaces uuid[], p_workspace_strength text, p_users uuid[],
                          p_user_strength text, p_joining boolean, p_sessions uuid[], p_sessions_of uuid,
                          p_api_keys uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_workspaces uuid[] := p_workspaces;
BEGIN
    IF p_joining THEN
        v_workspaces := v_workspaces || ARRAY(SELECT workspace_id FROM join_requests
                                              WHERE user_id = ANY (p_users));
    END IF;
    CASE p_workspace_strength
        WHEN 'key share' THEN
            PERFORM FROM workspaces WHERE id = ANY (v_workspaces) ORDER BY id FOR KEY SHARE;
        WHEN 'share' THEN
            PERFORM FROM workspaces WHERE id = ANY (v_workspaces) ORDER BY id FOR SHARE;
        WHEN 'no key update' THEN
            PERFORM FROM workspaces WHERE id = ANY (v_workspaces) ORDER BY id FOR NO KEY UPDATE;
    END CASE;
    CASE p_user_strength
        WHEN 'key share' THEN
            PERFORM FROM users WHERE id = ANY (p_users) ORDER BY id FOR KEY SHARE;
        WHEN 'share' THEN
            PERFORM FROM users WHERE id = ANY (p_users) ORDER BY id FOR SHARE;
        WHEN 'no key update' THEN
            PERFORM FROM users WHERE id = ANY (p_users) ORDER BY id FOR NO KEY UPDATE;
        WHEN 'update' THEN
            PERFORM FROM users WHERE id = ANY (p_users) ORDER BY id FOR UPDATE;
    END CASE;
    IF p_sessions_of IS NOT NULL THEN
        PERFORM FROM sessions WHERE user_id = p_sessions_of AND revoked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE;
    ELSIF cardinality(p_sessions) > 0 THEN
        PERFORM FROM sessions WHERE id = ANY (p_sessions) ORDER BY id FOR NO KEY UPDATE;
    END IF;
    IF cardinality(p_api_keys) > 0 THEN
        PERFORM FROM api_keys WHERE id = ANY (p_api_keys) ORDER BY id FOR NO KEY UPDATE;
    END IF;
END $$;

-- Replaces the version of 0008: the workspace is locked before the user.
CREATE OR REPLACE FUNCTION require_valid_credential(p_credential_id uuid, p_workspace_id uuid, p_user_id uuid,
                                                    p_membership_id uuid, p_role workspace_role,
                                                    p_is_owner boolean, p_members_can_mint boolean,
                                                    p_scopes text[], p_expires_at timestamptz,
                                                    p_exclusive boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_workspace  workspaces;
    v_scopes     text[];
    v_expires_at timestamptz;
    v_role       workspace_role;
    v_is_valid   boolean;
BEGIN
    IF p_exclusive THEN
        SELECT * INTO v_workspace FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_workspace FROM workspaces WHERE id = p_workspace_id FOR SHARE;
    END IF;
    PERFORM FROM users WHERE id = p_user_id FOR SHARE;
    IF p_scopes IS NULL THEN
        PERFORM FROM sessions WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    ELSE
        SELECT role, scopes, expires_at INTO v_role, v_scopes, v_expires_at FROM api_keys
        WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    END IF;
    v_is_valid := FOUND;
    IF v_is_valid AND p_user_id IS NOT NULL AND p_workspace_id IS NOT NULL THEN
        SELECT role INTO v_role FROM memberships
        WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND id = p_membership_id FOR SHARE;
        v_is_valid := FOUND;
    END IF;
    IF NOT v_is_valid THEN
        RAISE EXCEPTION 'the credential was revoked' USING ERRCODE = 'LK001';
    END IF;
    IF v_role IS DISTINCT FROM p_role
       OR coalesce(v_workspace.owner_id = p_user_id, false) <> p_is_owner
       OR coalesce(v_workspace.members_can_mint_keys, false) <> p_members_can_mint
       OR v_scopes IS DISTINCT FROM p_scopes
       OR (p_scopes IS NOT NULL AND v_expires_at IS DISTINCT FROM p_expires_at) THEN
        RAISE EXCEPTION 'the rights of the credential changed' USING ERRCODE = 'LK009';
    END IF;
END $$;

-- Locks a session, and before it the workspaces that its statements refer to: its current one, and with
-- `p_updates_workspace` the default one if the user has left the current one, which this sets.
-- SQLSTATE 40001 if the session was switched meanwhile: the batch is repeated.
CREATE FUNCTION lock_session(p_session_id uuid, p_updates_workspace boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_session sessions;
    v_wanted  uuid;
    v_current uuid;
    v_locked  integer;
BEGIN
    SELECT * INTO v_session FROM sessions WHERE id = p_session_id AND revoked_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_wanted := v_session.workspace_id;
    IF p_updates_workspace AND NOT EXISTS (SELECT FROM memberships m
                                           WHERE m.workspace_id = v_session.workspace_id
                                             AND m.user_id = v_session.user_id) THEN
        v_wanted := (SELECT m.workspace_id FROM users u JOIN memberships m ON m.user_id = u.id
                     WHERE u.id = v_session.user_id
                     ORDER BY m.workspace_id = u.last_workspace_id DESC, m.joined_at, m.workspace_id
                     LIMIT 1);
    END IF;
    PERFORM FROM workspaces WHERE id IN (v_session.workspace_id, v_wanted) ORDER BY id FOR KEY SHARE;
    GET DIAGNOSTICS v_locked = ROW_COUNT;
    SELECT workspace_id INTO v_current FROM sessions
    WHERE id = p_session_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_current IS DISTINCT FROM v_session.workspace_id
       OR v_locked < (SELECT count(DISTINCT id) FROM unnest(ARRAY[v_current, v_wanted]) AS id) THEN
        RAISE EXCEPTION 'the session was switched concurrently' USING ERRCODE = '40001';
    END IF;
    IF v_wanted IS DISTINCT FROM v_current THEN
        UPDATE sessions SET workspace_id = v_wanted WHERE id = p_session_id;
    END IF;
END $$;

-- Replaces the version of 0003: locks the user before the token, as a deletion of the account does.
CREATE OR REPLACE FUNCTION consume_one_time_token(p_digest bytea, p_purpose text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = (SELECT user_id FROM one_time_tokens WHERE digest = p_digest)
    FOR NO KEY UPDATE;
    DELETE FROM one_time_tokens USING users
    WHERE digest = p_digest AND purpose = p_purpose AND expires_at > now() AND users.id = user_id
      AND (purpose = 'change_email' OR one_time_tokens.email = users.email);   -- not to a previous address
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is invalid or expired' USING ERRCODE = 'LK002';
    END IF;
END $$;

-- Replaces the version of 0007: locks the sign-ups of an address in the order of their ids.
CREATE OR REPLACE FUNCTION consume_pending_signup(p_digest bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_email text;
BEGIN
    SELECT email_normalized INTO v_email FROM pending_signups
    WHERE digest = p_digest AND expires_at > now();
    PERFORM FROM pending_signups WHERE email_normalized = v_email ORDER BY id FOR UPDATE;
    DELETE FROM pending_signups WHERE digest = p_digest AND expires_at > now();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the sign-up was completed or has expired' USING ERRCODE = 'LK002';
    END IF;
    DELETE FROM pending_signups WHERE email_normalized = v_email;
END $$;

-- Replaces the version of 0004: in the order of the ids.
CREATE OR REPLACE FUNCTION cancel_invites(p_user_id uuid, p_workspace_id uuid, p_new_role workspace_role)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
BEGIN
    v_ids := ARRAY(
        SELECT id FROM invites
        WHERE invited_by = p_user_id AND accepted_at IS NULL AND cancelled_at IS NULL
          AND (p_workspace_id IS NULL OR workspace_id = p_workspace_id)
          AND (p_new_role IS NULL OR NOT may_invite(p_new_role, role))
        ORDER BY id FOR NO KEY UPDATE);
    UPDATE invites SET cancelled_at = now() WHERE id = ANY (v_ids);
END $$;

-- Replaces the version of 0004: in the order of the ids.
CREATE OR REPLACE FUNCTION sync_invites_with_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
BEGIN
    v_ids := ARRAY(
        SELECT id FROM invites
        WHERE invited_with = NEW.id AND accepted_at IS NULL AND cancelled_at IS NULL
        ORDER BY id FOR NO KEY UPDATE);
    UPDATE invites SET cancelled_at = CASE WHEN NEW.revoked_at IS NOT NULL THEN now() END,
                       expires_at = least(expires_at, NEW.expires_at)
    WHERE id = ANY (v_ids);
    RETURN NULL;
END $$;

-- Replaces the version of 0007: sessions and keys in the order of their ids.
CREATE OR REPLACE FUNCTION retire_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_user     users;
    v_sessions uuid[];
    v_keys     uuid[];
BEGIN
    -- The lock orders this against a credential that is being created: it waits, and fails, or is seen.
    SELECT u.* INTO v_user FROM users u
    WHERE u.id = p_user_id AND NOT is_proved(u) AND u.disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account was proved or disabled' USING ERRCODE = 'LK002';
    END IF;
    DELETE FROM pending_signups WHERE email_normalized = v_user.email_normalized;
    IF NOT EXISTS (SELECT FROM users WHERE email_normalized = v_user.proved_email_normalized)
       AND v_user.proved_email_normalized IS NOT NULL THEN
        UPDATE users
        SET email = proved_email, email_normalized = proved_email_normalized, verified_by_link_only = false,
            proved_email = NULL, proved_email_normalized = NULL
        WHERE id = p_user_id;
        DELETE FROM one_time_tokens WHERE user_id = p_user_id;
        PERFORM cancel_mail(p_user_id);
        RETURN;
    END IF;
    UPDATE users
    SET email_normalized = 'released/' || id, email_verified_at = NULL, verified_by_link_only = false,
        disabled_at = now(), password_hash = NULL, password_version = password_version + 1
    WHERE id = p_user_id;
    v_sessions := ARRAY(SELECT id FROM sessions WHERE user_id = p_user_id AND revoked_at IS NULL
                        ORDER BY id FOR NO KEY UPDATE);
    v_keys := ARRAY(SELECT id FROM api_keys WHERE user_id = p_user_id AND revoked_at IS NULL
                    UNION
                    SELECT id FROM api_keys WHERE created_by = p_user_id AND revoked_at IS NULL);
    PERFORM FROM api_keys WHERE id = ANY (v_keys) ORDER BY id FOR NO KEY UPDATE;
    UPDATE sessions SET revoked_at = now() WHERE id = ANY (v_sessions) AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now() WHERE id = ANY (v_keys) AND revoked_at IS NULL;
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    DELETE FROM join_requests WHERE user_id = p_user_id;
    DELETE FROM one_time_tokens WHERE user_id = p_user_id;
    DELETE FROM known_devices WHERE user_id = p_user_id;
    DELETE FROM oauth_grants WHERE user_id = p_user_id;
    PERFORM cancel_mail(p_user_id);
    RETURN QUERY SELECT * FROM affected_workspaces(p_user_id);
END $$;

-- Replaces the version of 0011: the workspace is locked before the user.
CREATE OR REPLACE FUNCTION resolve_join_request(p_user_id uuid, p_event jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_user      users;
    v_workspace workspaces;
BEGIN
    PERFORM FROM workspaces WHERE id = (SELECT workspace_id FROM join_requests WHERE user_id = p_user_id)
    FOR KEY SHARE;
    SELECT u.* INTO v_user FROM users u WHERE u.id = p_user_id AND is_proved(u) FOR NO KEY UPDATE;
    SELECT w.* INTO v_workspace FROM join_requests r JOIN workspaces w ON w.id = r.workspace_id
    WHERE r.user_id = v_user.id AND w.join_domain = domain_of(v_user.email_normalized);
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
        INSERT INTO outbox (id, kind, variables, user_id, recipient, sender_id, workspace_id)
        SELECT gen_random_uuid(), 'approval_asked',
               jsonb_build_object('person', coalesce(v_user.name, ''), 'person_email', v_user.email,
                                  'workspace', v_workspace.name),
               a.id, a.email, v_user.id, v_workspace.id
        FROM memberships m JOIN users a ON a.id = m.user_id
        WHERE m.workspace_id = v_workspace.id AND m.role = 'admin' AND a.disabled_at IS NULL
          AND a.email_verified_at IS NOT NULL AND wants_mail(a, 'approval_asked')
        ORDER BY m.user_id
        LIMIT 20;
    END IF;
END $$;

-- Replaces the version of 0004: the workspace is locked before the user. FOR SHARE, so that a removal from
-- the workspace waits.
CREATE OR REPLACE FUNCTION accept_invite(p_digest bytea, p_user_id uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_email  text;
    v_invite invites;
BEGIN
    PERFORM FROM workspaces
    WHERE id = (SELECT workspace_id FROM invites WHERE digest = p_digest) FOR SHARE;
    SELECT email_normalized INTO v_email FROM users
    WHERE id = p_user_id AND disabled_at IS NULL FOR NO KEY UPDATE;
    UPDATE invites SET accepted_at = now(), accepted_by = p_user_id
    WHERE digest = p_digest AND email_normalized = v_email AND expires_at > now()
      AND accepted_at IS NULL AND cancelled_at IS NULL
    RETURNING * INTO v_invite;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the invite is invalid or expired' USING ERRCODE = 'LK002';
    END IF;
    DELETE FROM join_requests WHERE user_id = p_user_id AND workspace_id = v_invite.workspace_id;
    INSERT INTO memberships (workspace_id, user_id, role)
    VALUES (v_invite.workspace_id, p_user_id, v_invite.role)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'already a member' USING ERRCODE = 'LK006';
    END IF;
    RETURN v_invite.workspace_id;
END $$;

-- Replaces the version of 0004: invites before the membership.
CREATE OR REPLACE FUNCTION set_member_role(p_workspace_id uuid, p_user_id uuid, p_role workspace_role)
RETURNS workspace_role LANGUAGE plpgsql AS $$
DECLARE
    v_previous workspace_role;
BEGIN
    PERFORM FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
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
        PERFORM cancel_invites(p_user_id, p_workspace_id, p_role);
        UPDATE memberships SET role = p_role WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
    END IF;
    RETURN v_previous;
END $$;

-- Replaces the version of 0008: credentials and invites before the membership, in the order of their ids. The
-- lock on the workspace orders this against keys that are being minted, and sessions that are being switched.
CREATE OR REPLACE FUNCTION remove_member(p_workspace_id uuid, p_user_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_sessions uuid[];
    v_keys     uuid[];
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
    v_sessions := ARRAY(SELECT id FROM sessions
                        WHERE user_id = p_user_id AND workspace_id = p_workspace_id AND revoked_at IS NULL
                        ORDER BY id FOR NO KEY UPDATE);
    v_keys := ARRAY(SELECT id FROM api_keys
                    WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL
                    ORDER BY id FOR NO KEY UPDATE);
    UPDATE sessions SET workspace_id = NULL WHERE id = ANY (v_sessions);
    UPDATE api_keys SET revoked_at = now() WHERE id = ANY (v_keys);
    PERFORM cancel_invites(p_user_id, p_workspace_id, NULL);
    DELETE FROM memberships WHERE workspace_id = p_workspace_id AND user_id = p_user_id;
    RETURN true;
END $$;

-- What the audit log calls the user (audit.subject_email): see erase_personal_data().
CREATE FUNCTION audit_subjects(p_user users) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN is_proved(p_user) THEN ARRAY[p_user.id::text, p_user.email_normalized]
                ELSE ARRAY[p_user.id::text] END
$$;

-- Ids of the audit events that erase_personal_data() changes.
CREATE FUNCTION personal_audit_events(p_user users) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT id FROM audit WHERE actor_id = p_user.id
    UNION
    SELECT id FROM audit WHERE target = p_user.id::text
    UNION
    SELECT id FROM audit WHERE subject_email = ANY (audit_subjects(p_user))
$$;

-- Ids of the invites to the addresses that the account has proved: see erase_personal_data().
CREATE FUNCTION personal_invites(p_user users) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT id FROM invites WHERE email_normalized = p_user.email_normalized AND is_proved(p_user)
    UNION
    SELECT i.id FROM audit a JOIN invites i ON i.id = a.target::uuid
    WHERE a.subject_email = ANY (audit_subjects(p_user)) AND a.action = 'invite.create'
$$;

-- Locks all that a deletion of an account changes, also through foreign keys and triggers. SQLSTATE 40001 if
-- the user has founded a workspace or become an admin meanwhile: the batch is repeated. LK003 as
-- delete_account().
CREATE FUNCTION lock_account_for_deletion(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_workspace record;
    v_user      users;
    v_owned     uuid[] := '{}';
    v_managed   uuid[] := '{}';
    v_ids       uuid[];
BEGIN
    FOR v_workspace IN
        SELECT id, max(strength) AS strength
        FROM (SELECT id, 3 AS strength FROM workspaces WHERE owner_id = p_user_id
              UNION ALL
              SELECT id, 2 FROM workspaces WHERE named_by = p_user_id
              UNION ALL
              SELECT workspace_id, CASE WHEN role = 'admin' THEN 2 ELSE 1 END FROM memberships
              WHERE user_id = p_user_id
              UNION ALL
              SELECT DISTINCT workspace_id, 1 FROM sessions WHERE user_id = p_user_id
              UNION ALL
              SELECT workspace_id, 1 FROM join_requests WHERE user_id = p_user_id) AS affected
        WHERE id IS NOT NULL
        GROUP BY id ORDER BY id
    LOOP
        IF v_workspace.strength = 3 THEN
            PERFORM FROM workspaces WHERE id = v_workspace.id FOR UPDATE;
            v_owned := v_owned || v_workspace.id;
        ELSIF v_workspace.strength = 2 THEN
            PERFORM FROM workspaces WHERE id = v_workspace.id FOR NO KEY UPDATE;
            v_managed := v_managed || v_workspace.id;
        ELSE
            PERFORM FROM workspaces WHERE id = v_workspace.id FOR KEY SHARE;
        END IF;
    END LOOP;
    v_ids := ARRAY(SELECT id FROM users WHERE last_workspace_id = ANY (v_owned)) || p_user_id;
    PERFORM FROM users WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = p_user_id AND m.user_id <> p_user_id) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    IF EXISTS (SELECT FROM workspaces WHERE owner_id = p_user_id AND id <> ALL (v_owned))
       OR EXISTS (SELECT FROM memberships WHERE user_id = p_user_id AND role = 'admin'
                    AND workspace_id <> ALL (v_owned || v_managed)) THEN
        RAISE EXCEPTION 'the memberships of the user changed concurrently' USING ERRCODE = '40001';
    END IF;
    SELECT * INTO v_user FROM users WHERE id = p_user_id;
    v_ids := ARRAY(SELECT id FROM sessions WHERE user_id = p_user_id
                   UNION
                   SELECT id FROM sessions WHERE workspace_id = ANY (v_owned));
    PERFORM FROM sessions WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    v_ids := ARRAY(SELECT id FROM api_keys WHERE user_id = p_user_id
                   UNION
                   SELECT id FROM api_keys WHERE created_by = p_user_id
                   UNION
                   SELECT id FROM api_keys WHERE workspace_id = ANY (v_owned));
    PERFORM FROM api_keys WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    v_ids := ARRAY(SELECT id FROM invites WHERE invited_by = p_user_id
                   UNION
                   SELECT id FROM invites WHERE accepted_by = p_user_id
                   UNION
                   SELECT id FROM invites WHERE invited_with = ANY (v_ids)
                   UNION
                   SELECT id FROM invites WHERE workspace_id = ANY (v_owned)
                   UNION
                   SELECT * FROM personal_invites(v_user));
    PERFORM FROM invites WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    v_ids := ARRAY(SELECT user_id FROM join_requests WHERE workspace_id = ANY (v_owned)) || p_user_id;
    PERFORM FROM join_requests WHERE user_id = ANY (v_ids) ORDER BY user_id FOR UPDATE;
    v_ids := ARRAY(SELECT id FROM memberships WHERE user_id = p_user_id
                   UNION
                   SELECT id FROM memberships WHERE workspace_id = ANY (v_owned));
    PERFORM FROM memberships WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    PERFORM FROM one_time_tokens WHERE user_id = p_user_id FOR UPDATE;
    PERFORM FROM oauth_grants WHERE user_id = p_user_id FOR UPDATE;
    PERFORM FROM avatars WHERE user_id = p_user_id FOR UPDATE;
    PERFORM FROM known_devices WHERE user_id = p_user_id FOR UPDATE;
    v_ids := ARRAY(SELECT * FROM personal_audit_events(v_user)
                   UNION
                   SELECT id FROM audit WHERE workspace_id = ANY (v_owned));
    PERFORM FROM audit WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
END $$;

-- Replaces the version of 0009: takes all of its locks first, in the lock order.
CREATE OR REPLACE FUNCTION delete_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_workspace_id uuid;
BEGIN
    PERFORM lock_account_for_deletion(p_user_id);
    FOR v_workspace_id IN
        SELECT m.workspace_id FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
        WHERE m.user_id = p_user_id AND m.role = 'admin' AND w.owner_id <> p_user_id
        ORDER BY m.workspace_id
    LOOP
        PERFORM require_other_admin(v_workspace_id, p_user_id);
    END LOOP;
    PERFORM cancel_mail(p_user_id);
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = p_user_id RETURNING id;
    DELETE FROM users WHERE id = p_user_id;
END $$;
