-- What submissions carried to their commands. `runs` counts the runs that name it; it goes with the last of them.
CREATE TABLE environment (
  key INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL,
  runs INTEGER NOT NULL
);
ALTER TABLE run ADD COLUMN environment INTEGER;
-- `concurrency:` of the file.
ALTER TABLE version ADD COLUMN concurrency INTEGER;
