-- The node that started a run: the other run by its id and its name, the node, and its item.
ALTER TABLE run ADD COLUMN parent BLOB;
ALTER TABLE run ADD COLUMN parent_name TEXT;
ALTER TABLE run ADD COLUMN parent_node TEXT;
ALTER TABLE run ADD COLUMN parent_item INTEGER;
CREATE INDEX run_by_parent ON run (parent) WHERE parent IS NOT NULL;

-- The files of the workflows that a run starts, itself or through others, as they were when it was submitted. name: the
-- file as the node in `reader` names it; path: its canonical path.
CREATE TABLE run_file (
  run INTEGER NOT NULL,
  reader TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (run, reader, name)
) WITHOUT ROWID;
CREATE INDEX run_file_by_version ON run_file (version);
