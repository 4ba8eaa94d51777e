-- search: how the runs of a sweep are proposed, as JSON; NULL if they were all submitted together. search_ended: whether a person
-- ended it before its last trial.
ALTER TABLE sweep ADD COLUMN search TEXT;
ALTER TABLE sweep ADD COLUMN search_ended INTEGER NOT NULL DEFAULT 0;

-- The runs that a search proposed. params: those that it chose, as JSON. seen: how many observations there were at that moment.
CREATE TABLE trial (
  sweep INTEGER NOT NULL,
  number INTEGER NOT NULL,
  run BLOB NOT NULL UNIQUE,
  params TEXT NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (sweep, number)
) WITHOUT ROWID;

-- What came of the runs of a search, in the order in which they ended. It outlives its run, because later proposals depend on
-- it. number: that of the run. params, outcome: as JSON.
CREATE TABLE observation (
  sweep INTEGER NOT NULL,
  place INTEGER NOT NULL,
  run BLOB NOT NULL UNIQUE,
  number INTEGER NOT NULL,
  params TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (sweep, place)
) WITHOUT ROWID;

-- The decisions of a pruner, in their order. number: that of the run. step, value: what its metric had reached. pruned: whether
-- the run was ended for it.
CREATE TABLE report (
  sweep INTEGER NOT NULL,
  place INTEGER NOT NULL,
  number INTEGER NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  pruned INTEGER NOT NULL,
  PRIMARY KEY (sweep, place)
) WITHOUT ROWID;
