-- Every lookup of a function and of a foreign key has an index, so that none reads a whole table that grows.

-- Serve foreign keys, in which a deletion looks for what refers to the deleted row.
CREATE INDEX sessions_owner ON sessions (user_id);
CREATE INDEX sessions_workspace ON sessions (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX users_last_workspace_id ON users (last_workspace_id) WHERE last_workspace_id IS NOT NULL;
CREATE INDEX invites_of_workspace ON invites (workspace_id);
CREATE INDEX invites_of_inviter ON invites (invited_by) WHERE invited_by IS NOT NULL;

-- Serve erase_personal_data(). The queue is long while a mail server is down.
CREATE INDEX outbox_recipient ON outbox (recipient);
CREATE INDEX outbox_person ON outbox ((variables ->> 'person_email'))
    WHERE variables ->> 'person_email' IS NOT NULL;

-- Replaces the version of 0009: one lookup by each condition, and rows in the lock order.
CREATE OR REPLACE FUNCTION erase_personal_data() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
BEGIN
    v_ids := ARRAY(SELECT id FROM outbox WHERE user_id = OLD.id
                   UNION
                   SELECT id FROM outbox WHERE variables ->> 'person_email' = OLD.email
                   UNION
                   SELECT id FROM outbox
                   WHERE recipient = OLD.email
                     AND (failed_at IS NOT NULL OR is_proved(OLD) AND kind IN ('invite', 'invite_reminder')));
    DELETE FROM outbox
    WHERE id = ANY (ARRAY(SELECT id FROM outbox WHERE id = ANY (v_ids) FOR UPDATE SKIP LOCKED));
    v_ids := ARRAY(SELECT * FROM personal_invites(OLD));
    PERFORM FROM invites WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
    DELETE FROM invites WHERE id = ANY (v_ids);
    IF is_proved(OLD) THEN
        PERFORM FROM pending_signups WHERE email_normalized = OLD.email_normalized ORDER BY id FOR UPDATE;
        DELETE FROM pending_signups WHERE email_normalized = OLD.email_normalized;
    END IF;
    v_ids := ARRAY(SELECT * FROM personal_audit_events(OLD));
    PERFORM FROM audit WHERE id = ANY (v_ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = '', aggregate_key = NULL
    WHERE actor_id = OLD.id;
    -- An event without actor and credential came from an anonymous client, which may be the user.
    UPDATE audit
    SET target = NULL, aggregate_key = NULL,
        ip = CASE WHEN actor_id IS NULL AND credential_id IS NULL THEN '' ELSE ip END,
        user_agent = CASE WHEN actor_id IS NULL AND credential_id IS NULL THEN '' ELSE user_agent END
    WHERE target = OLD.id::text;
    UPDATE audit SET details = details - 'email', subject_email = NULL
    WHERE subject_email = ANY (audit_subjects(OLD));
    RETURN OLD;
END $$;

-- Replaces the version of 0009: events in the order of their ids.
CREATE OR REPLACE FUNCTION follow_email_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
BEGIN
    v_ids := ARRAY(SELECT id FROM audit WHERE subject_email = OLD.email_normalized
                   ORDER BY id FOR NO KEY UPDATE);
    UPDATE audit SET subject_email = NEW.id::text WHERE id = ANY (v_ids);
    RETURN NULL;
END $$;

-- Records a refusal, or adds to the count of a recorded one (db/tables/refusals.cpp). The locks order this
-- against the deletion of the user and of the workspace: nothing is written about them after it. An event
-- without a workspace belongs to the one that `p_user_id`, the user it is about, signs in to.
CREATE FUNCTION record_refusal(p_event jsonb, p_user_id uuid, p_count bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_workspace_id uuid := p_event ->> 'workspace_id';
BEGIN
    IF v_workspace_id IS NULL THEN
        v_workspace_id := (SELECT m.workspace_id FROM users u JOIN memberships m ON m.user_id = u.id
                           WHERE u.id = p_user_id
                           ORDER BY m.workspace_id = u.last_workspace_id DESC, m.joined_at, m.workspace_id
                           LIMIT 1);
    END IF;
    IF v_workspace_id IS NOT NULL THEN
        PERFORM FROM workspaces WHERE id = v_workspace_id FOR KEY SHARE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF p_user_id IS NOT NULL THEN
        PERFORM FROM users WHERE id = p_user_id FOR KEY SHARE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO audit
    SELECT e.* FROM audit_event(p_event || jsonb_build_object('workspace_id', v_workspace_id)) AS e
    ON CONFLICT (aggregate_key) WHERE aggregate_key IS NOT NULL
    DO UPDATE SET details = audit.details
                            || jsonb_build_object('count', (audit.details ->> 'count')::bigint + p_count);
END $$;
