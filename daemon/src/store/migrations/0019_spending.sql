-- What running attempts have spent so far, as JSON.
CREATE TABLE spending (
  attempt TEXT PRIMARY KEY,
  sums TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO spending (attempt, sums) SELECT substr(name, 10), value FROM setting WHERE name GLOB 'spending *';
DELETE FROM setting WHERE name GLOB 'spending *';
