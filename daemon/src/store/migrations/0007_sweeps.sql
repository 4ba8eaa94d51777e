-- The sweep of a run. version: that of all its runs. swept: the params that were given several values, as a JSON list. It is
-- removed with its last run.
CREATE TABLE sweep (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  workflow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  swept TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX sweep_by_workflow ON sweep (workflow);
-- The number of the last sweep without a name of its own, such as `poster/3`; numbers are never reused.
ALTER TABLE workflow ADD COLUMN last_sweep INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN sweep INTEGER;
CREATE INDEX run_by_sweep ON run (sweep) WHERE sweep IS NOT NULL;
