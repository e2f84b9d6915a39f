-- Admission of emails: one trigger on the outbox decides what every queued email may say, whether its
-- recipient may get it, and whether it is within the budgets. No statement that inserts into the outbox can
-- bypass it.

-- The kinds of email. `words` lists the variables that contain free text of a user, with its author: 'sender'
-- (outbox.sender_id), 'workspace' (who named the workspace), 'recipient' (the account that gets the email). A
-- variable that is neither listed here nor made by the server (see admit_mail()) never gets into an email.
--
-- `lane`: emails about the recipient's own security are sent before all others. `counter`: the sequence that
-- numbers the emails for the budget of the installation; resets have one of their own, so that no flood of
-- sign-ups uses it up. `budget`: kinds with the same one share the budget of a recipient.
CREATE TABLE mail_kinds (
    kind          text PRIMARY KEY,
    lane          text NOT NULL CHECK (lane IN ('security', 'bulk')),
    to_unverified boolean NOT NULL,                  -- the email is the way to prove the address
    budget        text NOT NULL,
    counter       text NOT NULL,
    words         jsonb NOT NULL DEFAULT '{}'
);
CREATE SEQUENCE mail_number_reset;
CREATE SEQUENCE mail_number_proof;
CREATE SEQUENCE mail_number_notice;
CREATE SEQUENCE mail_number_bulk;
INSERT INTO mail_kinds (kind, lane, to_unverified, budget, counter, words) VALUES
    ('verify',              'security', true,  'verify',              'mail_number_proof',  '{}'),
    ('reset',               'security', true,  'reset',               'mail_number_reset',  '{}'),
    ('email_change',        'security', true,  'email_change',        'mail_number_proof',  '{}'),
    ('address_taken',       'security', false, 'address_taken',       'mail_number_notice', '{}'),
    ('email_change_notice', 'security', false, 'email_change_notice', 'mail_number_notice',
     '{"new_email": "recipient"}'),
    ('password_changed',    'security', false, 'password_changed',    'mail_number_notice',
     '{"keys": "recipient"}'),
    ('new_sign_in',         'security', false, 'new_sign_in',         'mail_number_notice', '{}'),
    ('key_minted',          'security', false, 'key_minted',          'mail_number_notice',
     '{"name": "recipient"}'),
    ('key_reported',        'security', false, 'key_reported',        'mail_number_notice',
     '{"name": "sender"}'),
    ('invite',              'bulk',     true,  'invite',              'mail_number_bulk',
     '{"person": "sender", "person_email": "sender", "workspace": "workspace"}'),
    ('invite_reminder',     'bulk',     true,  'invite',              'mail_number_bulk',
     '{"person": "sender", "person_email": "sender", "workspace": "workspace"}'),
    ('approval_asked',      'bulk',     false, 'approval_asked',      'mail_number_bulk',
     '{"person": "sender", "person_email": "sender", "workspace": "workspace"}'),
    ('approval_given',      'bulk',     false, 'approval',            'mail_number_bulk',
     '{"workspace": "workspace"}'),
    ('approval_refused',    'bulk',     false, 'approval',            'mail_number_bulk',
     '{"workspace": "workspace"}');

ALTER TABLE outbox
    ADD COLUMN sender_id     uuid,                   -- user who has it sent to others; no foreign key
    ADD COLUMN workspace_id  uuid,                   -- that it is about; no foreign key
    ADD COLUMN lane          text NOT NULL DEFAULT 'bulk',
    ADD COLUMN claimed_until timestamptz;            -- a worker is sending it; after that others may claim it
UPDATE outbox o SET lane = k.lane FROM mail_kinds k WHERE k.kind = o.kind;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (lane, next_attempt_at) WHERE failed_at IS NULL;

-- The author of a workspace's name, which is free text of this user. No foreign key: the name of a deleted
-- user is left out of emails until the workspace is renamed.
ALTER TABLE workspaces ADD COLUMN named_by uuid;
UPDATE workspaces SET named_by = owner_id;
CREATE FUNCTION set_workspace_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.named_by := coalesce(NEW.named_by, NEW.owner_id);
    RETURN NEW;
END $$;
CREATE TRIGGER workspaces_author BEFORE INSERT ON workspaces
    FOR EACH ROW EXECUTE FUNCTION set_workspace_author();

-- Emails an hour; 0: unlimited. One row, written by every server when it starts.
CREATE TABLE mail_limits (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    recipient    integer NOT NULL,
    sender       integer NOT NULL,
    installation integer NOT NULL
);
INSERT INTO mail_limits (recipient, sender, installation) VALUES (20, 100, 10000);

-- Emails of the last hour, counted by recipient and by sender. Rows are only added: a counter that is updated
-- would let one transaction, such as an invitation of many, block another, such as a password reset.
CREATE TABLE mail_sent (
    subject bytea NOT NULL,                          -- of the recipient; see mail_subject()
    budget  text NOT NULL,
    sender  uuid,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mail_sent_subject ON mail_sent (subject, budget, at);
CREATE INDEX mail_sent_sender ON mail_sent (sender, at) WHERE sender IS NOT NULL;
CREATE INDEX mail_sent_at ON mail_sent (at);

-- Erases a deleted user from the mail budgets and from the workspaces that they named.
CREATE FUNCTION erase_mail_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE mail_sent SET sender = NULL WHERE sender = OLD.id;
    UPDATE workspaces SET named_by = NULL WHERE named_by = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER users_erase_mail_author AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION erase_mail_author();
CREATE INDEX workspaces_named_by ON workspaces (named_by) WHERE named_by IS NOT NULL;

-- The number of the first email of an hour: the next ones subtract it from theirs. Sequences, since no
-- transaction waits for another to draw a number.
CREATE TABLE mail_hours (
    counter      text NOT NULL,
    hour         timestamptz NOT NULL,
    first_number bigint NOT NULL,
    PRIMARY KEY (counter, hour)
);

-- Emails dropped for their budget, and their totals since the installation; see db/tables/mail_budgets.cpp.
CREATE TABLE mail_drops (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind   text NOT NULL,
    reason text NOT NULL                             -- recipient, sender or installation
);
CREATE TABLE mail_drop_totals (
    kind   text NOT NULL,
    reason text NOT NULL,
    total  bigint NOT NULL,
    PRIMARY KEY (kind, reason)
);

-- Digest of an address as budgets count it: without the tag after + and the dots of the local part, which
-- many providers ignore.
CREATE FUNCTION mail_subject(p_address text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(
        lower(normalize(replace(split_part(regexp_replace(p_address, '@[^@]*$', ''), '+', 1), '.', '')))
        || '@' || lower(coalesce(substring(p_address FROM '@([^@]*)$'), '')), 'UTF8'))
$$;

-- A UUID of version 7 (RFC 9562): ids of audit events are in the order of time.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_byte(b, 6, (get_byte(b, 6) & 15) | 112), 'hex')::uuid
    FROM (SELECT overlay(uuid_send(gen_random_uuid())
                         PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::int8)
                                           FROM 3)
                         FROM 1 FOR 6) AS b) AS random
$$;

-- Whether an email is over a budget, and which: null, 'recipient', 'sender' or 'installation'. Emails of
-- concurrent transactions are not seen, so a budget may be exceeded by their number.
CREATE FUNCTION exceeded_mail_budget(p_mail outbox, p_kind mail_kinds, p_subject bytea, p_sender uuid)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_limits mail_limits;
    v_limit  integer;
    v_number bigint;
    v_first  bigint;
BEGIN
    SELECT * INTO v_limits FROM mail_limits;

    -- Notices repeat what the audit log has, so that half the budget is enough.
    v_limit := CASE WHEN p_kind.to_unverified THEN v_limits.recipient
                    ELSE (v_limits.recipient + 1) / 2 END;
    IF v_limit > 0 AND v_limit = (SELECT count(*)
                                  FROM (SELECT FROM mail_sent
                                        WHERE subject = p_subject AND budget = p_kind.budget
                                          AND at > now() - interval '1 hour'
                                        LIMIT v_limit) AS earlier) THEN
        RETURN 'recipient';
    END IF;

    -- A day after its address was verified, or after a workspace was created, a sender has ten times as much.
    v_limit := v_limits.sender;
    IF EXISTS (SELECT FROM users WHERE id = p_sender AND email_verified_at < now() - interval '1 day')
       OR EXISTS (SELECT FROM workspaces WHERE id = p_sender AND created_at < now() - interval '1 day') THEN
        v_limit := least(v_limit, 100000000) * 10;
    END IF;
    IF v_limit > 0 AND v_limit = (SELECT count(*)
                                  FROM (SELECT FROM mail_sent
                                        WHERE sender = p_sender AND at > now() - interval '1 hour'
                                        LIMIT v_limit) AS earlier) THEN
        RETURN 'sender';
    END IF;

    -- The first email of an hour records its number. The lock, which is never waited for, keeps a concurrent
    -- one from waiting for this transaction.
    v_number := nextval(p_kind.counter::regclass);
    SELECT first_number INTO v_first FROM mail_hours
    WHERE counter = p_kind.counter AND hour = date_trunc('hour', now());
    IF NOT FOUND AND pg_try_advisory_xact_lock(hashtext('mail_hours'), hashtext(p_kind.counter)) THEN
        INSERT INTO mail_hours (counter, hour, first_number)
        VALUES (p_kind.counter, date_trunc('hour', now()), v_number)
        ON CONFLICT DO NOTHING;
    END IF;
    IF v_limits.installation > 0 AND v_number - v_first >= v_limits.installation THEN
        RETURN 'installation';
    END IF;
    RETURN NULL;
END $$;

-- Records a dropped email, and once an hour in the audit log of the workspace that it is about.
CREATE FUNCTION record_mail_drop(p_mail outbox, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mail_drops (kind, reason) VALUES (p_mail.kind, p_reason);
    IF p_mail.workspace_id IS NULL
       OR NOT pg_try_advisory_xact_lock(hashtext('mail.drop'), hashtext(p_mail.workspace_id::text))
       OR now() - interval '1 hour' < (SELECT at FROM audit
                                       WHERE workspace_id = p_mail.workspace_id AND action = 'mail.drop'
                                       ORDER BY id DESC NULLS LAST LIMIT 1) THEN
        RETURN;
    END IF;
    INSERT INTO audit (id, workspace_id, action, actor_id, ip, user_agent, request_id, details)
    SELECT uuid_v7(), id, 'mail.drop', p_mail.sender_id, '', '', '',
           jsonb_build_object('kind', p_mail.kind, 'budget', p_reason)
    FROM workspaces WHERE id = p_mail.workspace_id;
END $$;

-- SECURITY DEFINER: the decision needs users and workspaces that the transaction itself may not see.
CREATE FUNCTION admit_mail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    v_kind    mail_kinds;
    v_reader  users;
    v_proved  boolean;
    v_authors text[] := '{}';                        -- of `words`: those with a verified address
    v_subject bytea;
    v_sender  uuid := coalesce(NEW.sender_id, NEW.workspace_id);
    v_reason  text;
BEGIN
    SELECT * INTO v_kind FROM mail_kinds WHERE kind = NEW.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mail_kinds has no kind %', NEW.kind;
    END IF;
    SELECT * INTO v_reader FROM users WHERE id = NEW.user_id;
    v_proved := coalesce(v_reader.email_verified_at IS NOT NULL AND v_reader.email = NEW.recipient, false);
    IF NOT v_proved AND NOT v_kind.to_unverified THEN
        RETURN NULL;
    END IF;

    -- Free text only of authors with a verified address.
    IF v_proved THEN
        v_authors := v_authors || 'recipient'::text;
    END IF;
    IF EXISTS (SELECT FROM users WHERE id = NEW.sender_id AND email_verified_at IS NOT NULL) THEN
        v_authors := v_authors || 'sender'::text;
    END IF;
    IF EXISTS (SELECT FROM workspaces w JOIN users u ON u.id = w.named_by
               WHERE w.id = NEW.workspace_id AND u.email_verified_at IS NOT NULL) THEN
        v_authors := v_authors || 'workspace'::text;
    END IF;
    NEW.lane := v_kind.lane;
    NEW.name := CASE WHEN v_proved THEN v_reader.name END;
    NEW.variables := coalesce((
        SELECT jsonb_object_agg(key, value) FROM jsonb_each(NEW.variables)
        WHERE key = ANY ('{ip, agent, at, made_at, made_with, prefix, ttl_seconds, key_count, done}')
           OR v_kind.words ->> key = ANY (v_authors)), '{}');

    -- A verified address is counted by its account: other spellings of it cannot use up its budget.
    v_subject := CASE WHEN v_proved THEN uuid_send(NEW.user_id) ELSE mail_subject(NEW.recipient) END;
    v_reason := exceeded_mail_budget(NEW, v_kind, v_subject, v_sender);
    IF v_reason IS NOT NULL THEN
        PERFORM record_mail_drop(NEW, v_reason);
        RETURN NULL;
    END IF;
    INSERT INTO mail_sent (subject, budget, sender) VALUES (v_subject, v_kind.budget, v_sender);
    RETURN NEW;
END $$;
CREATE TRIGGER outbox_admit BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION admit_mail();

-- Replaces the version of 0007: the notice to the admins names its sender and its workspace.
CREATE OR REPLACE FUNCTION resolve_join_request(p_user_id uuid, p_event jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_user      users;
    v_workspace workspaces;
BEGIN
    SELECT u.* INTO v_user FROM users u WHERE u.id = p_user_id AND is_proved(u) FOR NO KEY UPDATE;
    SELECT w.* INTO v_workspace FROM join_requests r JOIN workspaces w ON w.id = r.workspace_id
    WHERE r.user_id = v_user.id AND w.join_domain = domain_of(v_user.email_normalized) FOR KEY SHARE OF w;
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
