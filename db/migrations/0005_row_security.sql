-- Tenant isolation by row-level security, in addition to every statement's WHERE clause. A transaction about
-- one workspace runs as the role latchkey_workspace with the workspace's id in the setting
-- latchkey.workspace, and sees, in the tables with a policy, only rows of that workspace. All other
-- transactions are restricted by their privileges alone; for the owner of the tables, which the server
-- connects as, the policies do not even enter the plan.

CREATE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('latchkey.workspace', true), '')::uuid;

-- The policies compare the role's name, not its membership: the server's own role is a member too, and
-- otherwise has to see everything. Expressions that are constant for a statement are sub-selects, so that
-- they are evaluated once and leave the planner's estimates, and with them the plan, unchanged. (EXISTS would
-- read all members to check one user.)
CREATE POLICY one_workspace ON workspaces USING (
    (SELECT current_user) <> 'latchkey_workspace' OR id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON memberships USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON api_keys USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON invites USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON join_requests USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON audit USING (
    (SELECT current_user) <> 'latchkey_workspace' OR workspace_id = (SELECT current_workspace()));
CREATE POLICY one_workspace ON replaced_invite_tokens USING (
    (SELECT current_user) <> 'latchkey_workspace'
    OR (SELECT true FROM invites i WHERE i.id = invite_id AND i.workspace_id = (SELECT current_workspace())));
-- Users of a workspace: its members, and users with a pending join request. A user who is neither any more is
-- not visible, even in the same transaction.
CREATE POLICY one_workspace ON users USING (
    (SELECT current_user) <> 'latchkey_workspace'
    OR (SELECT true FROM memberships m
        WHERE m.workspace_id = (SELECT current_workspace()) AND m.user_id = users.id)
    OR (SELECT true FROM join_requests r
        WHERE r.user_id = users.id AND r.workspace_id = (SELECT current_workspace())));

ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE invites ENABLE ROW LEVEL SECURITY;
ALTER TABLE join_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE replaced_invite_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;

-- Under a policy an index serves only leakproof comparisons, and enum comparison is not leakproof. A role
-- written as a literal matches a partial index all the same.
DROP INDEX memberships_role;
CREATE INDEX memberships_admins ON memberships (workspace_id, user_id) WHERE role = 'admin';
CREATE INDEX memberships_managers ON memberships (workspace_id, user_id) WHERE role = 'manager';

-- Whether the current role can switch to latchkey_workspace, and that role can access every table with a
-- policy. It tries the switch, since the privileges needed differ between PostgreSQL versions.
CREATE FUNCTION row_security_enabled() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_schema   oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
    v_previous text := current_setting('role');
    v_enabled  boolean;
BEGIN
    PERFORM set_config('role', 'latchkey_workspace', true);
    SELECT bool_and(pg_table_is_visible(c.oid) AND c.relrowsecurity
                    AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
    INTO v_enabled
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE p.polname = 'one_workspace' AND c.relnamespace = v_schema;
    PERFORM set_config('role', v_previous, true);
    RETURN coalesce(v_enabled, false);
EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN   -- not a member, or no such role
    RETURN false;
END $$;

-- Creates the role and its grants, as far as the current role is permitted to. Runs after the migrations at
-- every start, since a later migration may have added tables, or an operator the role. The role belongs to
-- the whole cluster, and another database may be creating it concurrently. Tables with secrets that no
-- statement about one workspace needs are not granted. Returns row_security_enabled().
CREATE FUNCTION enable_row_security() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_schema oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
    v_table  regclass;
BEGIN
    IF to_regrole('latchkey_workspace') IS NULL THEN
        BEGIN
            CREATE ROLE latchkey_workspace NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role('latchkey_workspace', CASE WHEN current_setting('server_version_num')::int < 160000
                                                  THEN 'MEMBER' ELSE 'SET' END) THEN
        BEGIN
            GRANT latchkey_workspace TO CURRENT_USER;
        EXCEPTION WHEN unique_violation OR insufficient_privilege THEN
            NULL;   -- the server may connect as another role, which is a member
        END;
    END IF;
    IF NOT has_schema_privilege('latchkey_workspace', v_schema, 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO latchkey_workspace', v_schema::regnamespace);
    END IF;
    FOR v_table IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = v_schema AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
          AND c.relname NOT IN ('schema_migrations', 'signing_keys', 'one_time_tokens',
                                'oauth_grants', 'oauth_codes', 'oauth_revocations')
          AND NOT (has_table_privilege('latchkey_workspace', c.oid, 'SELECT')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'INSERT')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'UPDATE')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'DELETE'))
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchkey_workspace', v_table);
    END LOOP;
    RETURN row_security_enabled();
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;
