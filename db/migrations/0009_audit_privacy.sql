-- Personal data in the audit log: what identifies a person is removed with the account, however a row of
-- users is deleted. And refusals, which are aggregated: one row for a subject and a span of time.

-- subject_email: the normalized address of an invited person, who need not have an account, or the id of the
-- account that had proved the address before it got another. Not shown; it finds the events with the address
-- in their details. aggregate_key: events with the same one are one row
-- with a count.
ALTER TABLE audit ADD COLUMN subject_email text, ADD COLUMN aggregate_key text;
CREATE INDEX audit_subject_email ON audit (subject_email) WHERE subject_email IS NOT NULL;
CREATE UNIQUE INDEX audit_aggregate_key ON audit (aggregate_key) WHERE aggregate_key IS NOT NULL;
CREATE INDEX invites_email ON invites (email_normalized);

UPDATE audit a SET subject_email = coalesce(i.email_normalized, lower(e.details ->> 'email' COLLATE "C"))
FROM audit e LEFT JOIN invites i ON i.id::text = e.target
WHERE e.id = a.id AND e.action = 'invite.create' AND e.details ? 'email';

-- Removes what identifies a user who is being deleted. An address identifies its owner only if the account
-- was proved: otherwise a sign-up with the address of another person, and its deletion, would erase that
-- person's invites. Invites to a previous address are found by the audit log, in which follow_email_change()
-- replaces the address by the account's id.
CREATE FUNCTION erase_personal_data() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_subjects text[] := ARRAY[OLD.id::text];
BEGIN
    IF is_proved(OLD) THEN
        v_subjects := v_subjects || OLD.email_normalized;
    END IF;
    UPDATE audit SET actor_id = NULL, credential_id = NULL, ip = '', user_agent = '', aggregate_key = NULL
    WHERE actor_id = OLD.id;
    -- An event without actor and credential came from an anonymous client, which may be the user.
    UPDATE audit
    SET target = NULL, aggregate_key = NULL,
        ip = CASE WHEN actor_id IS NULL AND credential_id IS NULL THEN '' ELSE ip END,
        user_agent = CASE WHEN actor_id IS NULL AND credential_id IS NULL THEN '' ELSE user_agent END
    WHERE target = OLD.id::text;
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE user_id = OLD.id OR variables ->> 'person_email' = OLD.email
           OR (recipient = OLD.email AND failed_at IS NOT NULL)
        FOR UPDATE SKIP LOCKED);
    IF is_proved(OLD) THEN
        DELETE FROM pending_signups WHERE email_normalized = OLD.email_normalized;
        DELETE FROM outbox WHERE id IN (
            SELECT id FROM outbox WHERE recipient = OLD.email AND kind IN ('invite', 'invite_reminder')
            FOR UPDATE SKIP LOCKED);
        DELETE FROM invites WHERE id IN (
            SELECT id FROM invites WHERE email_normalized = OLD.email_normalized ORDER BY id FOR UPDATE);
    END IF;
    DELETE FROM invites WHERE id IN (
        SELECT id FROM invites
        WHERE id IN (SELECT target::uuid FROM audit
                     WHERE subject_email = ANY (v_subjects) AND action = 'invite.create')
        ORDER BY id FOR UPDATE);
    UPDATE audit SET details = details - 'email', subject_email = NULL WHERE subject_email = ANY (v_subjects);
    RETURN OLD;
END $$;
CREATE TRIGGER users_erase_personal_data BEFORE DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION erase_personal_data();

-- The events about the address of a proved account stay those of its owner, who may delete the account under
-- another one.
CREATE FUNCTION follow_email_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit SET subject_email = NEW.id::text WHERE subject_email = OLD.email_normalized;
    RETURN NULL;
END $$;
CREATE TRIGGER users_follow_email_change AFTER UPDATE OF email_normalized ON users
    FOR EACH ROW WHEN (is_proved(OLD)
                       AND OLD.email_normalized IS DISTINCT FROM NEW.email_normalized)
    EXECUTE FUNCTION follow_email_change();

-- Replaces the version of 0004: leaves the audit log to erase_personal_data(), which needs the targets.
CREATE OR REPLACE FUNCTION delete_account(p_user_id uuid) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_workspace_id uuid;
BEGIN
    PERFORM FROM users WHERE id = p_user_id FOR UPDATE;
    PERFORM FROM workspaces WHERE owner_id = p_user_id FOR UPDATE;
    IF EXISTS (SELECT FROM workspaces w JOIN memberships m ON m.workspace_id = w.id
               WHERE w.owner_id = p_user_id AND m.user_id <> p_user_id) THEN
        RAISE EXCEPTION 'a workspace with other members would lose its owner' USING ERRCODE = 'LK003';
    END IF;
    FOR v_workspace_id IN
        SELECT id FROM workspaces
        WHERE owner_id <> p_user_id
          AND id IN (SELECT workspace_id FROM memberships WHERE user_id = p_user_id AND role = 'admin')
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        PERFORM require_other_admin(v_workspace_id, p_user_id);
    END LOOP;
    PERFORM cancel_mail(p_user_id);
    PERFORM cancel_invites(p_user_id, NULL, NULL);
    RETURN QUERY DELETE FROM workspaces WHERE owner_id = p_user_id RETURNING id;
    DELETE FROM users WHERE id = p_user_id;
END $$;
