-- Credential check for transactions that create or widen a credential: fails with LK001 unless the caller's
-- own credential and role are still valid at commit. The row locks order it against a concurrent revocation
-- or role change: either that waits for this transaction, or this transaction sees it.
CREATE FUNCTION require_valid_credential(p_credential_id uuid, p_workspace_id uuid, p_user_id uuid,
                                         p_role workspace_role) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
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
