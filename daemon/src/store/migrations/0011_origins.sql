-- origin: where a value was computed that its run took over from another one, as JSON. cache_key: the result that it belongs to,
-- if later nodes may reuse it.
ALTER TABLE value ADD COLUMN origin TEXT;
ALTER TABLE value ADD COLUMN cache_key BLOB;
ALTER TABLE asset DROP COLUMN cache_key;
