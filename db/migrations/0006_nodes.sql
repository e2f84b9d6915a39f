-- Nodes: how long each may believe what it remembers, and how all are told of changes.

-- A running server. A lease is told by its counter, never by a clock: whoever has seen the same counter for as long as
-- the lease lives knows that it has run out.
CREATE TABLE nodes (
    id         uuid PRIMARY KEY,                     -- of one process
    epoch      bigint NOT NULL,                      -- grows when its memory begins anew, or its lease is recalled
    renewals   bigint NOT NULL,                      -- of its lease
    lease_ms   integer NOT NULL,                     -- how long that lives
    renewed_at timestamptz NOT NULL DEFAULT now()    -- for people
);

-- What decides what a credential may do cannot change without a word to all nodes: the tables themselves see to it,
-- whoever changes them. Trigger arguments: which kind of subject is to be forgotten, and the column that names it.
CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject text := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[1];
BEGIN
    PERFORM pg_notify('latchkey_changes', TG_ARGV[0] || ' ' || subject), set_config('latchkey.changed', 'yes', true);
    RETURN NULL;
END $$;

CREATE TRIGGER tell_of_end AFTER UPDATE OF revoked_at ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION tell_of_change('credential', 'id');
CREATE TRIGGER tell_of_removal AFTER DELETE ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION tell_of_change('credential', 'id');
CREATE TRIGGER tell_of_change AFTER UPDATE OF revoked_at, expires_at, scopes, role ON api_keys
    FOR EACH ROW WHEN ((OLD.revoked_at, OLD.expires_at, OLD.scopes, OLD.role)
                       IS DISTINCT FROM (NEW.revoked_at, NEW.expires_at, NEW.scopes, NEW.role))
    EXECUTE FUNCTION tell_of_change('credential', 'id');
CREATE TRIGGER tell_of_removal AFTER DELETE ON api_keys
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL)
    EXECUTE FUNCTION tell_of_change('credential', 'id');
CREATE TRIGGER tell_of_change AFTER UPDATE OF role ON memberships
    FOR EACH ROW WHEN (OLD.role IS DISTINCT FROM NEW.role)
    EXECUTE FUNCTION tell_of_change('user', 'user_id');
CREATE TRIGGER tell_of_removal AFTER DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION tell_of_change('user', 'user_id');
CREATE TRIGGER tell_of_change AFTER UPDATE OF email_verified_at, disabled_at ON users
    FOR EACH ROW WHEN ((OLD.email_verified_at IS NULL, OLD.disabled_at IS NULL)
                       IS DISTINCT FROM (NEW.email_verified_at IS NULL, NEW.disabled_at IS NULL))
    EXECUTE FUNCTION tell_of_change('user', 'id');
CREATE TRIGGER tell_of_change AFTER UPDATE OF owner_id, members_can_mint_keys ON workspaces
    FOR EACH ROW WHEN ((OLD.owner_id, OLD.members_can_mint_keys) IS DISTINCT FROM (NEW.owner_id, NEW.members_can_mint_keys))
    EXECUTE FUNCTION tell_of_change('workspace', 'id');
CREATE TRIGGER tell_of_removal AFTER DELETE ON join_requests
    FOR EACH ROW EXECUTE FUNCTION tell_of_change('user', 'user_id');

-- A new membership concerns only credentials that can have been seen before: not those of a person, or for a workspace,
-- that this very transaction makes.
CREATE FUNCTION tell_of_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = NEW.user_id AND created_at = now())
       AND NOT EXISTS (SELECT FROM workspaces WHERE id = NEW.workspace_id AND created_at = now()) THEN
        PERFORM pg_notify('latchkey_changes', 'user ' || NEW.user_id), set_config('latchkey.changed', 'yes', true);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_beginning AFTER INSERT ON memberships FOR EACH ROW EXECUTE FUNCTION tell_of_membership();

-- The last word on what a transaction has changed: nodes acknowledge it, by its id, when they have forgotten all that they
-- were told before. Nothing, and no word, if nothing has changed, unless `anyway`.
CREATE FUNCTION close_change(teller uuid, anyway boolean) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    change uuid := gen_random_uuid();
BEGIN
    IF NOT anyway AND current_setting('latchkey.changed', true) IS DISTINCT FROM 'yes' THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('latchkey_changes', 'end ' || change || ' ' || teller), set_config('latchkey.closed', 'yes', true);
    RETURN change;
END $$;

-- Said again by who waits for an answer, in case the answer was lost.
CREATE FUNCTION close_again(change uuid, teller uuid) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_notify('latchkey_changes', 'end ' || change || ' ' || teller) $$;

-- A node has forgotten. Nothing is lost if this is: whoever waits asks again. So nobody waits for the disk.
CREATE FUNCTION acknowledge_changes(node uuid, changes uuid[], tellers uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_notify('latchkey_acknowledgements', node || ' ' || told.teller || ' ' || told.changes)
    FROM (SELECT teller, string_agg(change::text, ' ') AS changes
          FROM unnest(changes, tellers) WITH ORDINALITY AS all_told (change, teller, place)
          GROUP BY teller, place / 200) AS told;
END $$;
