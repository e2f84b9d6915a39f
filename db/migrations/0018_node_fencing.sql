-- Fencing of nodes: a fenced node's renewals are refused until it registers again with an empty cache.

-- Apart from the epoch, which changes only when the node itself has dropped its lease: others wait for a
-- fenced node until that, or until its lease has expired.
ALTER TABLE nodes ADD COLUMN fenced boolean NOT NULL DEFAULT false;

-- The number of the registration that the row is from; a node counts its requests, and each process has an
-- id of its own. A registration that PostgreSQL executes late, once the node has registered again on another
-- connection, is refused: the node may hold a lease by then.
ALTER TABLE nodes ADD COLUMN request bigint NOT NULL DEFAULT 0;
ALTER TABLE nodes ALTER COLUMN request DROP DEFAULT;

-- Epochs are unique, so that a row that was deleted and inserted again is never taken for the earlier one.
CREATE SEQUENCE node_epochs;
SELECT setval('node_epochs', (SELECT coalesce(max(epoch), 0) + 1 FROM nodes), false);

-- Programs before this migration fence by raising the epoch of a node that may hold its lease, and renew
-- although they are fenced. They must not run side by side with this version, and these triggers and the
-- missing default make them fail: they lose their leases within two seconds and get no others, so they query
-- the database for every check; nodes of this version are not misled.
CREATE FUNCTION refuse_lease_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'only a later registration changes an epoch, and a fenced node does not renew';
END $$;
CREATE TRIGGER refuse_epoch BEFORE UPDATE OF epoch ON nodes
    FOR EACH ROW WHEN (NEW.epoch <> OLD.epoch AND NEW.request <= OLD.request)
    EXECUTE FUNCTION refuse_lease_change();
CREATE TRIGGER refuse_renewal BEFORE UPDATE OF renewals ON nodes
    FOR EACH ROW WHEN (OLD.fenced AND NEW.renewals <> OLD.renewals AND NEW.epoch = OLD.epoch)
    EXECUTE FUNCTION refuse_lease_change();

-- Repeats the ends of changes for nodes that have not acknowledged them; all others ignore it. In batches,
-- since a payload is limited to 8000 bytes.
CREATE FUNCTION republish_changes(p_origin uuid, p_nodes uuid[], p_changes uuid[]) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_notify('latchkey_changes', 'again ' || batch.node || ' ' || p_origin || ' ' || batch.changes)
    FROM (SELECT node, string_agg(change::text, ' ') AS changes
          FROM unnest(p_nodes, p_changes) WITH ORDINALITY AS awaited (node, change, ordinal)
          GROUP BY node, ordinal / 200) AS batch
$$;
DROP FUNCTION republish_change(uuid, uuid);
