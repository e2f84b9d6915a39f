// Nobody may change what a credential may do without waiting for all nodes.
#pragma once

namespace support {

/** SQL for a test's database: while a node serves it, the program fails to commit whatever concerns a
   principal and does not go through db::principal_changes. So every flow, and every route that a test calls,
   is held to it. */
inline constexpr const char* refuse_unclosed_changes = R"(
    CREATE FUNCTION refuse_unclosed_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') = 'latchkey'
           AND current_setting('latchkey.changed', true) = 'yes'
           AND current_setting('latchkey.closed', true) IS DISTINCT FROM 'yes'
           AND EXISTS (SELECT FROM nodes) THEN
            RAISE EXCEPTION 'a change of % that nobody waits for', TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        each text;
    BEGIN
        FOREACH each IN ARRAY '{users,workspaces,memberships,sessions,api_keys,join_requests}'::text[] LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER refuse_unclosed_change AFTER INSERT OR UPDATE OR DELETE ON %I
                            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unclosed_change()', each);
        END LOOP;
    END $$)";

} // namespace support
