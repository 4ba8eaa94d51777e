-- Metrics: one row for each name that an instance reported. attempt: the one that reported it. reported: by that attempt, all
-- points; count: without those that later ones replaced; stored: in chunks. goal: 0 min, 1 max. last, min, max: points, in
-- the form of a chunk's body.
CREATE TABLE series (
  key INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  node TEXT NOT NULL,
  item INTEGER NOT NULL,
  name TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  unit TEXT,
  goal INTEGER,
  reported INTEGER NOT NULL DEFAULT 0,
  count INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  replaced INTEGER NOT NULL DEFAULT 0,
  first_step INTEGER,
  last BLOB,
  min BLOB,
  max BLOB,
  UNIQUE (run, node, item, name)
);
CREATE INDEX series_by_stored ON series (run, stored);

-- Consecutive points of a series. first and last: their steps. level: how often they were thinned out. count: how many
-- reports they stand for; stored: how many are in `body`.
CREATE TABLE series_chunk (
  key INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  level INTEGER NOT NULL DEFAULT 0,
  count INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  min BLOB,
  max BLOB,
  body BLOB NOT NULL,
  UNIQUE (series, first)
);
CREATE INDEX series_chunk_by_level ON series_chunk (series, level, first);
