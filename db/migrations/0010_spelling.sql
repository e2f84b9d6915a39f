-- Email addresses and domains are compared in another normalized form than before: NFC and full case folding
-- of the local part, A-labels (UTS #46) for the domain. SQL cannot compute it; renew_normalized.cpp does so,
-- in the transaction of this file.

-- The address that an account has released, in its normalized form, so that an operator can find and restore
-- it.
ALTER TABLE users ADD COLUMN released_email text;

CREATE FUNCTION remember_released_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email_normalized NOT LIKE 'released/%' THEN
        NEW.released_email := NULL;
    ELSIF OLD.email_normalized NOT LIKE 'released/%' THEN
        NEW.released_email := OLD.email_normalized;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER remember_released_email BEFORE UPDATE OF email_normalized ON users
    FOR EACH ROW EXECUTE FUNCTION remember_released_email();

UPDATE users SET released_email = lower(email COLLATE "C") WHERE email_normalized LIKE 'released/%';
CREATE INDEX users_released_email ON users (released_email) WHERE released_email IS NOT NULL;
