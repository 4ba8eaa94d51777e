-- Waiting runs of a higher priority start first.
ALTER TABLE run ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- What the file wants to be done when a run or a sweep has ended, as JSON; NULL for nothing.
ALTER TABLE version ADD COLUMN on_end TEXT;
-- By which another home recognises a sweep, whatever its name is there.
ALTER TABLE sweep ADD COLUMN id BLOB;
UPDATE sweep SET id = randomblob(16);
CREATE INDEX sweep_by_id ON sweep (id);
