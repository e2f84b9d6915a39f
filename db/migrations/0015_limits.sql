-- The network that a known device has last signed in from. A wrong password of others in that network does not
-- shut the device out. Null: not known, since the device signed in before this migration.
ALTER TABLE known_devices ADD COLUMN network text;                -- such as 203.0.113.0/24
