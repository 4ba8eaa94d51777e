-- The names of the edges of a version as a JSON list; none are known of versions that earlier programs stored.
ALTER TABLE version ADD COLUMN edges TEXT;

-- What was asked for under a key, so that the key is refused for anything else; none is known of earlier requests.
ALTER TABLE request ADD COLUMN digest BLOB;
