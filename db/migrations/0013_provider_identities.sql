-- Identities at OpenID providers: keyed by issuer and subject, so that an account of one issuer never signs
-- in to what was linked to an account of another. Sign-ins that are used once, and notices to the owner.

-- The default issuer, for rows from before it was recorded. An identity of another issuer is linked again, in
-- the same way as a new one.
ALTER TABLE oauth_grants ADD COLUMN issuer text NOT NULL DEFAULT 'https://accounts.google.com';
ALTER TABLE oauth_grants ALTER COLUMN issuer DROP DEFAULT;
ALTER TABLE oauth_grants DROP CONSTRAINT oauth_grants_pkey;
ALTER TABLE oauth_grants ADD CONSTRAINT oauth_grants_pkey PRIMARY KEY (issuer, subject);
ALTER TABLE oauth_grants DROP CONSTRAINT oauth_grants_user_key;
ALTER TABLE oauth_grants ADD CONSTRAINT oauth_grants_user_key UNIQUE (user_id, issuer);

-- A token is revoked at the issuer that granted it, and sent to no other.
ALTER TABLE oauth_revocations ADD COLUMN issuer text NOT NULL DEFAULT 'https://accounts.google.com';
ALTER TABLE oauth_revocations ALTER COLUMN issuer DROP DEFAULT;

CREATE OR REPLACE FUNCTION queue_token_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oauth_revocations (id, provider, issuer, sealed_tokens)
    VALUES (gen_random_uuid(), OLD.provider, OLD.issuer, OLD.sealed_tokens);
    RETURN OLD;
END $$;

-- Replaces the version of 0003, which did not distinguish issuers. Links a user to an identity, or records
-- another sign-in with it. Holds the user's row lock, so that the account still exists and, for a new link,
-- still has the address that the decision was based on: LK004 otherwise. LK005 if the identity is linked to
-- another user. A null p_email leaves the stored one.
DROP FUNCTION upsert_oauth_grant(text, text, uuid, text, bytea, boolean);
CREATE FUNCTION upsert_oauth_grant(p_provider text, p_issuer text, p_subject text, p_user_id uuid,
                                   p_email text, p_tokens bytea, p_replaces_tokens boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user_id AND disabled_at IS NULL
        AND (email_normalized = p_email
             OR EXISTS (SELECT FROM oauth_grants
                        WHERE user_id = p_user_id AND issuer = p_issuer AND subject = p_subject))
        FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account was disabled or has another address' USING ERRCODE = 'LK004';
    END IF;
    INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens)
    VALUES (p_provider, p_issuer, p_subject, p_user_id, coalesce(p_email, ''), p_tokens)
    ON CONFLICT (issuer, subject) DO UPDATE
    SET email = coalesce(p_email, oauth_grants.email), last_used_at = now(),
        sealed_tokens = CASE WHEN p_replaces_tokens THEN excluded.sealed_tokens
                             ELSE oauth_grants.sealed_tokens END
    WHERE oauth_grants.user_id = excluded.user_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'linked to another user' USING ERRCODE = 'LK005';
    END IF;
END $$;

-- States of authorization requests that a callback has used. The request itself is sealed in a cookie, which
-- a client can keep and send again; a row here, which one callback on any node inserts, makes it valid once.
CREATE TABLE oauth_spent_states (
    digest     bytea PRIMARY KEY,                    -- SHA-256 of the state
    expires_at timestamptz NOT NULL                  -- later than the cookie
);

-- A sign-up through a provider that does not prove the address waits for the link, as one with a password.
ALTER TABLE pending_signups
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN sealed_login bytea,                   -- identity and tokens, encrypted
    ADD CONSTRAINT pending_signups_method CHECK (num_nonnulls(password_hash, sealed_login) = 1);

-- The provider's name is the operator's; like the recipient's own words it goes to a verified address only.
INSERT INTO mail_kinds (kind, lane, to_unverified, budget, counter, words) VALUES
    ('provider_linked', 'security', false, 'provider_linked', 'mail_number_notice',
     '{"provider": "recipient"}');
