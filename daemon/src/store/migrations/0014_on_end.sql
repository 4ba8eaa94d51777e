-- What is to be done because a run or a sweep has ended, one row for each end and each thing to do: added with the end,
-- removed after success. next_at: when it is tried next; NULL after the last try.
CREATE TABLE on_end (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  what TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  workflow TEXT NOT NULL,
  state INTEGER NOT NULL,
  at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  error TEXT
);
CREATE INDEX on_end_by_next ON on_end (next_at);
