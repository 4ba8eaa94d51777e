-- A digest of each part of the key of a result, by which later misses are explained; NULL if it is not known.
ALTER TABLE cache ADD COLUMN parts BLOB;
CREATE INDEX cache_by_node ON cache (node, type);
