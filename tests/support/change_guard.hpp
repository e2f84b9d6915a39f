// A trigger that rejects changes of credentials which bypass the invalidation bus.
#pragma once

namespace support {

/** SQL for a test database: while a node is registered, the server cannot commit a change of users,
    memberships or credentials that does not go through db::invalidation_bus. Every e2e test thereby verifies
    every route. */
inline constexpr const char* refuse_unpublished_changes = R"(
    CREATE FUNCTION refuse_unpublished_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') = 'latchkey'
           AND current_setting('latchkey.changed', true) = 'yes'
           AND current_setting('latchkey.published', true) IS DISTINCT FROM 'yes'
           AND EXISTS (SELECT FROM nodes) THEN
            RAISE EXCEPTION 'a change of % without publish_change', TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        each text;
    BEGIN
        FOREACH each IN ARRAY '{users,workspaces,memberships,sessions,api_keys,join_requests}'::text[] LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER refuse_unpublished_change '
                           'AFTER INSERT OR UPDATE OR DELETE ON %I DEFERRABLE INITIALLY DEFERRED '
                           'FOR EACH ROW EXECUTE FUNCTION refuse_unpublished_change()', each);
        END LOOP;
    END $$)";

} // namespace support
