-- Fencing of nodes: a fenced node's renewals are refused until it registers again with an empty cache.

-- Apart from the epoch, which changes only when the node itself has dropped its lease: others wait for a
-- fenced node until that, or until its lease has expired.
ALTER TABLE nodes ADD COLUMN fenced boolean NOT NULL DEFAULT false;

-- Epochs are unique, so that a row that was deleted and inserted again is never taken for the earlier one.
CREATE SEQUENCE node_epochs;
SELECT setval('node_epochs', (SELECT coalesce(max(epoch), 0) + 1 FROM nodes), false);
