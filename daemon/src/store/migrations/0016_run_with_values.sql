-- The same runs as before. For `status IN (…)` in the condition of an index, SQLite builds a temporary table each time that it
-- writes a run.
DROP INDEX run_with_values;
CREATE INDEX run_with_values ON run (workflow) WHERE evicted = 0 AND status >= 3 AND status <= 5;
