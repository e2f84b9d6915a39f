-- Checking an uncached API key reads one row instead of four: api_key_principals has, for each live key,
-- everything that decides what it may do. Triggers keep it within the transactions that change the key, its
-- owner, their membership or the owner of the workspace, whichever statement makes the change.

LOCK TABLE workspaces, users, api_keys, memberships IN SHARE ROW EXCLUSIVE MODE;   -- in the lock order

-- The definition of api_key_principals, from which triggers copy. A user's key has its user's current role,
-- as long as it is in the membership that the key was minted in.
CREATE VIEW api_key_principal_source WITH (security_invoker = true) AS
    SELECT k.id, k.digest, k.prefix, k.user_id, k.workspace_id, m.id AS membership_id,
           CASE WHEN k.user_id IS NULL THEN k.role ELSE m.role END AS role,
           coalesce(w.owner_id = k.user_id, false) AS is_owner,
           u.email_verified_at IS NOT NULL AS email_verified,
           u.disabled_at IS NOT NULL AS user_disabled,
           k.expires_at, k.scopes
    FROM api_keys k
    JOIN workspaces w ON w.id = k.workspace_id
    LEFT JOIN users u ON u.id = k.user_id
    LEFT JOIN memberships m
        ON m.workspace_id = k.workspace_id AND m.user_id = k.user_id AND m.id = k.membership_id
    WHERE k.revoked_at IS NULL;

-- Not the settings of the workspace: changing one would update the rows of all its keys.
--
-- digest_head, the first 8 bytes, is the key of an index that is a third as large and cheaper to search than
-- one on 32 bytes. Two digests may share it: a lookup compares the rest.
CREATE TABLE api_key_principals (
    id             uuid NOT NULL,
    digest         bytea NOT NULL,
    prefix         text NOT NULL,
    user_id        uuid,                             -- null: owned by the workspace
    workspace_id   uuid NOT NULL,
    membership_id  uuid,                             -- null: no member (any more), or owned by the workspace
    role           workspace_role,                   -- current
    is_owner       boolean NOT NULL,                 -- of the workspace
    email_verified boolean NOT NULL,
    user_disabled  boolean NOT NULL,
    expires_at     timestamptz,
    scopes         text[] NOT NULL,
    digest_head    bigint NOT NULL
                   GENERATED ALWAYS AS (('x' || encode(substr(digest, 1, 8), 'hex'))::bit(64)::bigint) STORED
);

INSERT INTO api_key_principals SELECT * FROM api_key_principal_source;
ALTER TABLE api_key_principals
    ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (id) REFERENCES api_keys ON DELETE CASCADE;
CREATE INDEX api_key_principals_head ON api_key_principals (digest_head);

CREATE POLICY one_workspace ON api_key_principals USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
ALTER TABLE api_key_principals ENABLE ROW LEVEL SECURITY;

-- Replaces the version of 0017: triggers alone write api_key_principals.
CREATE OR REPLACE FUNCTION workspace_privileges(p_table name, p_column name) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_table IN ('schema_migrations', 'signing_keys', 'one_time_tokens', 'pending_signups',
                         'oauth_grants', 'oauth_codes', 'oauth_spent_states', 'oauth_revocations',
                         'retention_sweeps', 'rate_quotas', 'api_key_principals',
                         'api_key_principal_source') THEN '{}'
        WHEN (p_table, p_column) IN (('users', 'password_hash'), ('sessions', 'refresh_salt')) THEN '{}'
        WHEN (p_table, p_column) IN (('api_keys', 'digest'), ('outbox', 'sealed_token'),
                                     ('replaced_invite_tokens', 'digest')) THEN '{INSERT}'
        ELSE '{SELECT,INSERT,UPDATE}' END::text[]
$$;

-- Follows a key. Its row is locked by its change, and the lock covers the row here. A new key waits for
-- changes of its membership, and they for it. SECURITY DEFINER: statements about one workspace have no
-- privilege on the table, and may not see the owner.
CREATE FUNCTION store_api_key_principal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.revoked_at IS NOT NULL THEN
        DELETE FROM api_key_principals WHERE id = OLD.id;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.revoked_at IS NULL
       AND (OLD.workspace_id, OLD.user_id, OLD.membership_id, OLD.role)
           IS NOT DISTINCT FROM (NEW.workspace_id, NEW.user_id, NEW.membership_id, NEW.role) THEN
        UPDATE api_key_principals
        SET digest = NEW.digest, prefix = NEW.prefix, expires_at = NEW.expires_at, scopes = NEW.scopes
        WHERE id = NEW.id;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM api_key_principals WHERE id = OLD.id;
    END IF;
    PERFORM FROM memberships WHERE id = NEW.membership_id FOR SHARE;
    INSERT INTO api_key_principals SELECT * FROM api_key_principal_source WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER store_principal AFTER INSERT ON api_keys
    FOR EACH ROW WHEN (NEW.revoked_at IS NULL) EXECUTE FUNCTION store_api_key_principal();
CREATE TRIGGER store_changed_principal
    AFTER UPDATE OF digest, prefix, scopes, workspace_id, user_id, membership_id, role, expires_at, revoked_at
    ON api_keys
    FOR EACH ROW EXECUTE FUNCTION store_api_key_principal();

-- Follows the owner of keys: all of a user's, or those in one workspace. Locks memberships, so that keys
-- that are being minted are committed and thereby seen, then the keys, in the order of their ids. Changes of
-- keys that lock a membership after the key lock the user before both, as do those that lead to this one.
CREATE FUNCTION refresh_api_key_principals(p_user_id uuid, p_workspace_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_workspace_id IS NULL THEN
        PERFORM FROM memberships WHERE user_id = p_user_id ORDER BY id FOR NO KEY UPDATE;
        PERFORM FROM api_keys WHERE user_id = p_user_id AND revoked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM memberships WHERE workspace_id = p_workspace_id AND user_id = p_user_id
        FOR NO KEY UPDATE;
        PERFORM FROM api_keys
        WHERE workspace_id = p_workspace_id AND user_id = p_user_id AND revoked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE;
    END IF;
    UPDATE api_key_principals p
    SET membership_id = s.membership_id, role = s.role, is_owner = s.is_owner,
        email_verified = s.email_verified, user_disabled = s.user_disabled
    FROM api_key_principal_source s
    WHERE p.id = s.id AND s.user_id = p_user_id
      AND s.workspace_id = coalesce(p_workspace_id, s.workspace_id)
      AND (p.membership_id, p.role, p.is_owner, p.email_verified, p.user_disabled)
          IS DISTINCT FROM (s.membership_id, s.role, s.is_owner, s.email_verified, s.user_disabled);
END $$;

-- Deferred to the end of the transaction, since it locks keys: a change of the owner comes before other
-- locks, and often revokes the keys itself.
CREATE FUNCTION follow_key_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_TABLE_NAME = 'users' THEN
        PERFORM refresh_api_key_principals(NEW.id, NULL);
    ELSIF TG_TABLE_NAME = 'workspaces' THEN
        PERFORM refresh_api_key_principals(of_user, NEW.id)
        FROM (SELECT unnest(ARRAY[OLD.owner_id, NEW.owner_id]) AS of_user ORDER BY 1) AS owners;
    ELSE
        PERFORM refresh_api_key_principals(OLD.user_id, OLD.workspace_id);
        IF TG_OP = 'UPDATE' THEN
            PERFORM refresh_api_key_principals(NEW.user_id, NEW.workspace_id);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER follow_key_owner AFTER UPDATE OF email_verified_at, disabled_at ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.email_verified_at IS NULL, OLD.disabled_at IS NULL)
                       IS DISTINCT FROM (NEW.email_verified_at IS NULL, NEW.disabled_at IS NULL))
    EXECUTE FUNCTION follow_key_owner();
CREATE CONSTRAINT TRIGGER follow_key_owner AFTER UPDATE OF owner_id ON workspaces
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id)
    EXECUTE FUNCTION follow_key_owner();
-- A new membership has no keys: each is minted in one that exists.
CREATE CONSTRAINT TRIGGER follow_key_owner
    AFTER UPDATE OF id, workspace_id, user_id, role OR DELETE ON memberships
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION follow_key_owner();

-- Replaces the version of 0014: members_can_mint_keys does not concern admins, so it is not read for them.
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
       OR (v_role IS DISTINCT FROM 'admin'
           AND coalesce(v_workspace.members_can_mint_keys, false) <> p_members_can_mint)
       OR v_scopes IS DISTINCT FROM p_scopes
       OR (p_scopes IS NOT NULL AND v_expires_at IS DISTINCT FROM p_expires_at) THEN
        RAISE EXCEPTION 'the rights of the credential changed' USING ERRCODE = 'LK009';
    END IF;
END $$;
