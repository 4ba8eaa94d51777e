-- Attempts of deleted runs whose folders are not removed yet: written with the deletion, dropped when they are.
CREATE TABLE going (
  attempt TEXT PRIMARY KEY
) WITHOUT ROWID;
