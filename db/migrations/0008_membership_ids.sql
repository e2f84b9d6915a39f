-- Memberships have ids, so that a credential belongs to the membership that it was made for; rotated keys are
-- marked; and a credential check tells a lost credential (LK001) from lost rights (LK009).

-- A user who leaves a workspace and joins it again has another membership: an access token or a key of the
-- earlier one does not count for it.
ALTER TABLE memberships
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT memberships_id_key UNIQUE (id);

-- The id without a foreign key: it outlives the membership, of which a key may be as old as the workspace.
ALTER TABLE api_keys
    ADD COLUMN membership_id uuid,                   -- of a user's key
    ADD COLUMN rotated_at timestamptz;               -- when its successor was minted
UPDATE api_keys k SET membership_id = m.id
FROM memberships m WHERE m.workspace_id = k.workspace_id AND m.user_id = k.user_id AND k.revoked_at IS NULL;
UPDATE api_keys k SET rotated_at = s.created_at FROM api_keys s WHERE s.rotated_from = k.id;

CREATE OR REPLACE VIEW api_key_states WITH (security_invoker = true) AS
    SELECT k.id, k.prefix, k.digest, k.name, k.scopes, k.workspace_id, k.user_id, k.role, k.created_by,
           k.rotated_from, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END AS status,
           k.rotated_at
    FROM api_keys k;

-- Replaces the version of 0004. Everything that decided about the call is compared with its present state
-- under locks: LK001 if the credential or its membership has ended, LK009 if its rights differ, for which the
-- caller is checked again. `p_scopes` is null for a session.
DROP FUNCTION require_valid_credential(uuid, uuid, uuid, workspace_role, boolean);
CREATE FUNCTION require_valid_credential(p_credential_id uuid, p_workspace_id uuid, p_user_id uuid,
                                         p_membership_id uuid, p_role workspace_role, p_is_owner boolean,
                                         p_members_can_mint boolean, p_scopes text[],
                                         p_expires_at timestamptz, p_exclusive boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_workspace workspaces;
    v_key       api_keys;
    v_role      workspace_role;
    v_is_valid  boolean;
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR SHARE;
    IF p_exclusive THEN
        SELECT * INTO v_workspace FROM workspaces WHERE id = p_workspace_id FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_workspace FROM workspaces WHERE id = p_workspace_id FOR SHARE;
    END IF;
    IF p_scopes IS NULL THEN
        PERFORM FROM sessions WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_key FROM api_keys
        WHERE id = p_credential_id AND revoked_at IS NULL FOR NO KEY UPDATE;
    END IF;
    v_is_valid := FOUND;
    v_role := v_key.role;
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
       OR v_key.scopes IS DISTINCT FROM p_scopes
       OR (p_scopes IS NOT NULL AND v_key.expires_at IS DISTINCT FROM p_expires_at) THEN
        RAISE EXCEPTION 'the rights of the credential changed' USING ERRCODE = 'LK009';
    END IF;
END $$;

-- Replaces the version of 0004: the member's sessions live on, for the other workspaces of the user. Their
-- tokens for this one belong to the membership and end with it.
CREATE OR REPLACE FUNCTION remove_member(p_workspace_id uuid, p_user_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
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
    UPDATE sessions SET workspace_id = NULL
    WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL;
    UPDATE api_keys SET revoked_at = now()
    WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL;
    PERFORM cancel_invites(p_user_id, p_workspace_id, NULL);
    RETURN true;
END $$;
