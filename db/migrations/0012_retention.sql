-- Retention: rows that nothing needs any more are deleted by a sweep over each table, slice by slice.

-- Where the sweep of a table goes on, for the node that works on it. The node that moves next_at has the
-- table until then; it moves it further with every slice.
CREATE TABLE retention_sweeps (
    table_name text PRIMARY KEY,
    next_block bigint NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT '-infinity'
);

-- Served the deletions that the sweeps replace, and nothing else.
DROP INDEX one_time_tokens_expiry;
DROP INDEX oauth_codes_expiry;

-- Replaces the version of 0006: an expired key is no longer accepted, and its deletion changes nothing.
DROP TRIGGER notify_removal ON api_keys;
CREATE TRIGGER notify_removal AFTER DELETE ON api_keys
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND (OLD.expires_at IS NULL OR OLD.expires_at > now()))
    EXECUTE FUNCTION notify_change('credential', 'id');
