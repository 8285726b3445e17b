-- In which order the versions of a channel were taken into use: to go back to an older one makes that the newest.
ALTER TABLE channel_versions ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE channel_versions SET used = id WHERE usable = 1;
