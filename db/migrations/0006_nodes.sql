-- Nodes: leases on each server's credential cache, and cache invalidation by NOTIFY.

-- Running server processes. A lease expires by its counter, never by comparing clocks: an observer that has
-- seen the same counter for the lease's full duration knows that it has expired.
CREATE TABLE nodes (
    id         uuid PRIMARY KEY,                     -- of one server process
    epoch      bigint NOT NULL,                      -- fencing counter: raised to register or fence
    renewals   bigint NOT NULL,                      -- lease counter
    lease_ms   integer NOT NULL,                     -- lease duration
    renewed_at timestamptz NOT NULL DEFAULT now()    -- for operators; not compared
);

-- Triggers notify all nodes of every change, by any program, to the permissions of a credential.
-- Trigger arguments: the kind of subject to invalidate, and the column with its id.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject text := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[1];
BEGIN
    PERFORM pg_notify('latchkey_changes', TG_ARGV[0] || ' ' || subject),
            set_config('latchkey.changed', 'yes', true);
    RETURN NULL;
END $$;

CREATE TRIGGER notify_revocation AFTER UPDATE OF revoked_at ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION notify_change('credential', 'id');
CREATE TRIGGER notify_removal AFTER DELETE ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION notify_change('credential', 'id');
CREATE TRIGGER notify_change AFTER UPDATE OF revoked_at, expires_at, scopes, role ON api_keys
    FOR EACH ROW WHEN ((OLD.revoked_at, OLD.expires_at, OLD.scopes, OLD.role)
                       IS DISTINCT FROM (NEW.revoked_at, NEW.expires_at, NEW.scopes, NEW.role))
    EXECUTE FUNCTION notify_change('credential', 'id');
CREATE TRIGGER notify_removal AFTER DELETE ON api_keys
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL)
    EXECUTE FUNCTION notify_change('credential', 'id');
CREATE TRIGGER notify_change AFTER UPDATE OF role ON memberships
    FOR EACH ROW WHEN (OLD.role IS DISTINCT FROM NEW.role)
    EXECUTE FUNCTION notify_change('user', 'user_id');
CREATE TRIGGER notify_removal AFTER DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION notify_change('user', 'user_id');
CREATE TRIGGER notify_change AFTER UPDATE OF email_verified_at, disabled_at ON users
    FOR EACH ROW WHEN ((OLD.email_verified_at IS NULL, OLD.disabled_at IS NULL)
                       IS DISTINCT FROM (NEW.email_verified_at IS NULL, NEW.disabled_at IS NULL))
    EXECUTE FUNCTION notify_change('user', 'id');
CREATE TRIGGER notify_change AFTER UPDATE OF owner_id, members_can_mint_keys ON workspaces
    FOR EACH ROW WHEN ((OLD.owner_id, OLD.members_can_mint_keys)
                       IS DISTINCT FROM (NEW.owner_id, NEW.members_can_mint_keys))
    EXECUTE FUNCTION notify_change('workspace', 'id');
CREATE TRIGGER notify_removal AFTER DELETE ON join_requests
    FOR EACH ROW EXECUTE FUNCTION notify_change('user', 'user_id');

-- A new membership affects only credentials that a node can have cached: not those of a user or a workspace
-- that the same transaction creates.
CREATE FUNCTION notify_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = NEW.user_id AND created_at = now())
       AND NOT EXISTS (SELECT FROM workspaces WHERE id = NEW.workspace_id AND created_at = now()) THEN
        PERFORM pg_notify('latchkey_changes', 'user ' || NEW.user_id),
            set_config('latchkey.changed', 'yes', true);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_membership AFTER INSERT ON memberships
    FOR EACH ROW EXECUTE FUNCTION notify_membership();

-- Ends the notifications of a transaction with a change id, which nodes acknowledge once they have applied
-- all of them. Returns null, and sends nothing, if nothing changed and `p_force` is false.
CREATE FUNCTION publish_change(p_origin uuid, p_force boolean) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_change uuid := gen_random_uuid();
BEGIN
    IF NOT p_force AND current_setting('latchkey.changed', true) IS DISTINCT FROM 'yes' THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('latchkey_changes', 'end ' || v_change || ' ' || p_origin),
            set_config('latchkey.published', 'yes', true);
    RETURN v_change;
END $$;

-- Repeats the end of a change for a node that waits for acknowledgements, in case one was lost.
CREATE FUNCTION republish_change(p_change uuid, p_origin uuid) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_notify('latchkey_changes', 'end ' || p_change || ' ' || p_origin) $$;

-- Acknowledges changes that a node has applied. A lost acknowledgement is requested again by
-- republish_change(), so the commit does not wait for the disk. Grouped by origin and in batches, since a
-- payload is limited to 8000 bytes.
CREATE FUNCTION acknowledge_changes(p_node uuid, p_changes uuid[], p_origins uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_notify('latchkey_acknowledgements', p_node || ' ' || batch.origin || ' ' || batch.changes)
    FROM (SELECT origin, string_agg(change::text, ' ') AS changes
          FROM unnest(p_changes, p_origins) WITH ORDINALITY AS applied (change, origin, ordinal)
          GROUP BY origin, ordinal / 200) AS batch;
END $$;
