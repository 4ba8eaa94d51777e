-- What runs were submitted with: the version of the program and those of the node types of their files, as JSON. There are as
-- many rows as versions of types that were used together, so none is removed.
CREATE TABLE made_with (
  key INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL
);
ALTER TABLE run ADD COLUMN made_with INTEGER;
