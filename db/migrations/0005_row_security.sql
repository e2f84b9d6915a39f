-- A second wall between workspaces. A transaction that is about one workspace runs as the role latchkey_workspace, with
-- the workspace in the setting latchkey.workspace, and sees the rows of that one alone: what a statement forgot to say,
-- these policies add. Everybody else sees what their privileges let them; for the owner of the tables, as which the
-- program signs in, the policies do not even enter the plan.

CREATE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('latchkey.workspace', true), '')::uuid;

-- The role is told by its name, not by who may act as it: the program itself may, and has to see everything otherwise.
-- What is the same for all rows stands in a sub-select, and is thus found out once; and said this way it leaves the
-- planner's estimates, and so the plan, as they are without it. (EXISTS would read all members to judge of one person.)
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
-- Members, and those who ask to become some. Who has just ceased to be either is out of sight already.
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

-- Behind the wall an index helps with no comparison that is not known to be harmless, and that of enums is not. A role
-- that is spelled out finds a partial index all the same.
DROP INDEX memberships_role;
CREATE INDEX memberships_admins ON memberships (workspace_id, user_id) WHERE role = 'admin';
CREATE INDEX memberships_managers ON memberships (workspace_id, user_id) WHERE role = 'manager';

-- Whether whoever asks can step behind the wall, and finds every table there. It tries, since what that takes differs from
-- one PostgreSQL to the next.
CREATE FUNCTION wall_stands() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    space   oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
    outside text := current_setting('role');
    stands  boolean;
BEGIN
    PERFORM set_config('role', 'latchkey_workspace', true);
    SELECT bool_and(pg_table_is_visible(c.oid) AND c.relrowsecurity
                    AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
    INTO stands
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE p.polname = 'one_workspace' AND c.relnamespace = space;
    PERFORM set_config('role', outside, true);
    RETURN coalesce(stands, false);
EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN   -- not for us to be, or no such role
    RETURN false;
END $$;

-- Raises the wall, as far as whoever asks may: called after the migrations each time, since a later one may have added
-- tables, and an operator the role. The role is the cluster's, and another database may be making it just now. It gets
-- no table that holds secrets of nobody's workspace. Returns whether the wall stands.
CREATE FUNCTION raise_wall() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    space oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
    each  regclass;
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
        EXCEPTION WHEN unique_violation OR insufficient_privilege THEN   -- who serves may be another role, and a member
            NULL;
        END;
    END IF;
    IF NOT has_schema_privilege('latchkey_workspace', space, 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO latchkey_workspace', space::regnamespace);
    END IF;
    FOR each IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = space AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
          AND c.relname NOT IN ('schema_migrations', 'signing_keys', 'one_time_tokens',
                                'oauth_grants', 'oauth_codes', 'oauth_revocations')
          AND NOT (has_table_privilege('latchkey_workspace', c.oid, 'SELECT')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'INSERT')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'UPDATE')
                   AND has_table_privilege('latchkey_workspace', c.oid, 'DELETE'))
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchkey_workspace', each);
    END LOOP;
    RETURN wall_stands();
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;
