-- The cost and the tokens of the attempts of a run that have ended: a part of the fold of its events, like the rest of its
-- row.
ALTER TABLE run ADD COLUMN cost_usd REAL;
ALTER TABLE run ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;

-- Earlier versions have them in the events only. The sums have the limits that the fold has.
UPDATE run SET
  cost_usd = spent.cost_usd,
  input_tokens = CAST(min(spent.input_tokens, 9007199254740991) AS INTEGER),
  output_tokens = CAST(min(spent.output_tokens, 9007199254740991) AS INTEGER)
FROM (
  SELECT
    run,
    min(sum(json_extract(body, '$.cost_usd')), 1.7976931348623157e308) AS cost_usd,
    total((SELECT total(json_extract(value, '$.input_tokens')) FROM json_each(body, '$.activity.predictions')))
      AS input_tokens,
    total((SELECT total(json_extract(value, '$.output_tokens')) FROM json_each(body, '$.activity.predictions')))
      AS output_tokens
  FROM (
    SELECT run, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body FROM event
    WHERE instr(body, '"ended"') > 0 AND (instr(body, '"cost_usd"') > 0 OR instr(body, '"predictions"') > 0)
  )
  WHERE json_extract(body, '$.ended') IS NOT NULL
  GROUP BY run
) AS spent
WHERE spent.run = run.key;
