-- Requests with the credentials of a workspace, by day and key. They are counted in memory and added by the
-- minute: nothing is decided by them.
CREATE TABLE usage_daily (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    day          date NOT NULL,                      -- in UTC
    key_id       uuid,                               -- null: sessions. Outlives the key
    checks       bigint NOT NULL,
    refusals     bigint NOT NULL,                    -- of these, 401 and 403
    rate_limited bigint NOT NULL                     -- of these, 429
) WITH (fillfactor = 50);                            -- room for HOT updates
CREATE UNIQUE INDEX usage_daily_row ON usage_daily (workspace_id, day, key_id) NULLS NOT DISTINCT;

CREATE POLICY one_workspace ON usage_daily USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
ALTER TABLE usage_daily ENABLE ROW LEVEL SECURITY;
