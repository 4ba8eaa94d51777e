-- Whether some of the tokens of a run have a cost that is not known.
ALTER TABLE run ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
