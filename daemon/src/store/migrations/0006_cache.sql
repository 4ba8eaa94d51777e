-- Results that later nodes reuse. key: the hash of everything that they depend on. run, node and item: where they were
-- computed; name: that run as `slug#number`. bytes: of their values and of everything that these refer to.
CREATE TABLE cache (
  entry INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  type TEXT NOT NULL,
  run BLOB NOT NULL,
  name TEXT NOT NULL,
  node TEXT NOT NULL,
  item INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX cache_by_use ON cache (used_at);
CREATE INDEX cache_by_run ON cache (run);

-- As in `value`.
CREATE TABLE cache_value (
  entry INTEGER NOT NULL,
  port TEXT NOT NULL,
  body TEXT,
  large BLOB,
  PRIMARY KEY (entry, port)
) WITHOUT ROWID;

-- The media in the values of an entry, which is removed when an asset with one of them is deleted.
CREATE TABLE cache_media (
  hash BLOB NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (hash, entry)
) WITHOUT ROWID;
CREATE INDEX cache_media_by_entry ON cache_media (entry);

-- The nodes that reuse no results, as JSON; NULL if all may.
ALTER TABLE run ADD COLUMN fresh TEXT;
-- The entry that holds the same result, by its key.
ALTER TABLE asset ADD COLUMN cache_key BLOB;
