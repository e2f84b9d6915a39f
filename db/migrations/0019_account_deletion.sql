-- Deleting an account touches each of its sessions once, in the table alone. Sessions of a user are spread
-- over the whole table and its indexes: in a large database each is a page that is read, and written to the
-- WAL as a whole.

-- Replaces the version of 0014: finds sessions and audit events without the primary key.
CREATE OR REPLACE FUNCTION lock_account_for_deletion(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
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
    PERFORM FROM sessions WHERE user_id = p_user_id OR workspace_id = ANY (v_owned)
    ORDER BY id FOR UPDATE;
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
    -- The events of personal_audit_events() and of the workspaces.
    PERFORM FROM audit
    WHERE actor_id = p_user_id OR target = p_user_id::text OR subject_email = ANY (audit_subjects(v_user))
       OR workspace_id = ANY (v_owned)
    ORDER BY id FOR UPDATE;
END $$;

-- Replaces the version of 0014: sessions first. The deletion of a workspace would set workspace_id to null in
-- each of them: a new row version, and new entries in all indexes.
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
    DELETE FROM sessions WHERE user_id = p_user_id;   -- or the next statement updates them first
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = p_user_id RETURNING id;
    DELETE FROM users WHERE id = p_user_id;
END $$;

-- Pages with sessions are requested from the disk together, not one after the other. Not possible on systems
-- without posix_fadvise().
DO $$ BEGIN
    ALTER FUNCTION lock_account_for_deletion(uuid) SET effective_io_concurrency = 32;
EXCEPTION WHEN invalid_parameter_value THEN
    NULL;
END $$;
