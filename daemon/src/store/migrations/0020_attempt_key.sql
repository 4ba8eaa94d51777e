-- The results that running attempts compute, for the daemon that adopts them. key and parts: as in `cache`. seen: a hash of
-- what the result depends on besides its inputs, as it was before the attempt started; NULL if it depends on nothing else.
CREATE TABLE attempt_key (
  attempt TEXT PRIMARY KEY,
  key BLOB NOT NULL,
  parts BLOB NOT NULL,
  seen BLOB
) WITHOUT ROWID;
