-- The role latchkey_workspace has no privilege on columns with secrets, except what its statements need. A
-- reference to a whole row needs all columns, so that statements about one workspace name them.

CREATE FUNCTION is_proved(p_email_verified_at timestamptz, p_verified_by_link_only boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_email_verified_at IS NOT NULL AND NOT p_verified_by_link_only $$;

CREATE FUNCTION wants_mail(p_notifications jsonb, p_kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce((p_notifications #>> ARRAY[p_kind, 'email'])::boolean, true) $$;

-- Replaces the version of 0007, without a reference to whole rows of users.
CREATE OR REPLACE FUNCTION has_verified_domain(p_workspace workspaces) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_workspace.join_domain IS NOT NULL
       AND EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                   WHERE m.workspace_id = p_workspace.id AND m.role = 'admin'
                     AND is_proved(u.email_verified_at, u.verified_by_link_only) AND u.disabled_at IS NULL
                     AND domain_of(u.email_normalized) = p_workspace.join_domain)
$$;

-- Replaces the version of 0008, without the digest: a view needs all columns that it names.
DROP VIEW api_key_states;
CREATE VIEW api_key_states WITH (security_invoker = true) AS
    SELECT k.id, k.prefix, k.name, k.scopes, k.workspace_id, k.user_id, k.role, k.created_by, k.rotated_from,
           k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END AS status,
           k.rotated_at
    FROM api_keys k;

-- What latchkey_workspace may do with a column; all of it by default. Statements about one workspace insert
-- keys, invites and emails, and a resent invite keeps its old digest. Tables that they never use are not
-- granted.
CREATE FUNCTION workspace_privileges(p_table name, p_column name) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_table IN ('schema_migrations', 'signing_keys', 'one_time_tokens', 'pending_signups',
                         'oauth_grants', 'oauth_codes', 'oauth_spent_states', 'oauth_revocations',
                         'retention_sweeps') THEN '{}'
        WHEN (p_table, p_column) IN (('users', 'password_hash'), ('sessions', 'refresh_salt')) THEN '{}'
        WHEN (p_table, p_column) IN (('api_keys', 'digest'), ('outbox', 'sealed_token'),
                                     ('replaced_invite_tokens', 'digest')) THEN '{INSERT}'
        ELSE '{SELECT,INSERT,UPDATE}' END::text[]
$$;

-- Replaces the version of 0005: of tables with secrets some columns are not granted, and some tables not at
-- all.
CREATE OR REPLACE FUNCTION row_security_enabled() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_schema   oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
    v_previous text := current_setting('role');
    v_tables   oid[] := ARRAY(SELECT c.oid FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                              WHERE p.polname = 'one_workspace' AND c.relnamespace = v_schema
                                AND workspace_privileges(c.relname, '') <> '{}');
    v_enabled  boolean;
BEGIN
    PERFORM set_config('role', 'latchkey_workspace', true);
    SELECT bool_and(pg_table_is_visible(c.oid) AND c.relrowsecurity AND has_table_privilege(c.oid, 'DELETE')
                    AND has_any_column_privilege(c.oid, 'SELECT')
                    AND has_any_column_privilege(c.oid, 'INSERT')
                    AND has_any_column_privilege(c.oid, 'UPDATE'))
    INTO v_enabled FROM pg_class c WHERE c.oid = ANY (v_tables);
    PERFORM set_config('role', v_previous, true);
    RETURN coalesce(v_enabled, false);
EXCEPTION WHEN insufficient_privilege OR invalid_parameter_value THEN   -- not a member, or no such role
    RETURN false;
END $$;

-- Grants a table to latchkey_workspace as workspace_privileges() says, if that is not so already.
CREATE FUNCTION grant_to_workspaces(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_name  name := (SELECT relname FROM pg_class WHERE oid = p_table);
    v_grant text;
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute a, unnest('{SELECT,INSERT,UPDATE}'::text[]) AS privilege
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
          AND has_column_privilege('latchkey_workspace', p_table, a.attnum, privilege)
              <> (privilege = ANY (workspace_privileges(v_name, a.attname))))
       AND has_table_privilege('latchkey_workspace', p_table, 'DELETE')
           = (workspace_privileges(v_name, '') <> '{}') THEN
        RETURN;
    END IF;
    EXECUTE format('REVOKE ALL ON %s FROM latchkey_workspace', p_table);
    IF workspace_privileges(v_name, '') = '{}' THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
                     AND workspace_privileges(v_name, a.attname) <> workspace_privileges(v_name, '')) THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchkey_workspace', p_table);
        RETURN;
    END IF;
    EXECUTE format('GRANT DELETE ON %s TO latchkey_workspace', p_table);
    FOR v_grant IN
        SELECT format('GRANT %s (%s) ON %s TO latchkey_workspace', privilege,
                      string_agg(quote_ident(a.attname), ', '), p_table)
        FROM pg_attribute a, unnest(workspace_privileges(v_name, a.attname)) AS privilege
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
        GROUP BY privilege
    LOOP
        EXECUTE v_grant;
    END LOOP;
END $$;

-- Replaces the version of 0005: grants columns, and revokes what earlier versions have granted.
CREATE OR REPLACE FUNCTION enable_row_security() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_schema oid := (SELECT relnamespace FROM pg_class WHERE oid = 'workspaces'::regclass);
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
    PERFORM grant_to_workspaces(oid) FROM pg_class
    WHERE relnamespace = v_schema AND relkind IN ('r', 'p', 'v') AND pg_has_role(relowner, 'USAGE');
    RETURN row_security_enabled();
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;
