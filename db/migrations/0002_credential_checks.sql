-- Whoever makes or widens a credential must still hold the one it is made with when that commits: the row locks make
-- the end of that credential, or a change of role, either wait for this transaction or be seen by it.
CREATE FUNCTION require_standing(credential uuid, workspace uuid, person uuid, held workspace_role) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
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
