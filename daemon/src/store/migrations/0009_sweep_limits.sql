-- JSON each: the limits of a sweep, why it is paused (NULL if it is not), and what it had used when it last continued after a
-- limit.
ALTER TABLE sweep ADD COLUMN limits TEXT;
ALTER TABLE sweep ADD COLUMN paused TEXT;
ALTER TABLE sweep ADD COLUMN used_before TEXT;
