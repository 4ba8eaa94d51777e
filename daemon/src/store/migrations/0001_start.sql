-- A workflow over all its versions. `last_number` only grows, so that numbers are never reused.
CREATE TABLE workflow (
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  path TEXT,
  version INTEGER NOT NULL,
  last_number INTEGER NOT NULL DEFAULT 0,
  runs INTEGER NOT NULL DEFAULT 0,
  newest_run INTEGER NOT NULL DEFAULT 0,
  last_run_at INTEGER
);
CREATE INDEX workflow_by_path ON workflow (path);
CREATE INDEX workflow_by_newest ON workflow (newest_run);

CREATE TABLE version (
  key INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  nodes TEXT NOT NULL
);

-- status: 0 queued, 1 running, 2 cancelling, 3 completed, 4 failed, 5 cancelled, 6 deleted but still named by assets.
CREATE TABLE run (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  workflow INTEGER NOT NULL,
  version INTEGER NOT NULL,
  number INTEGER NOT NULL,
  label TEXT NOT NULL,
  params TEXT NOT NULL,
  path TEXT,
  submission BLOB NOT NULL,
  place INTEGER NOT NULL,
  status INTEGER NOT NULL,
  submitted_at INTEGER NOT NULL,
  started_at INTEGER,
  start_order INTEGER,
  ended_at INTEGER,
  error TEXT,
  nodes INTEGER NOT NULL,
  nodes_done INTEGER NOT NULL DEFAULT 0,
  resumed_from BLOB,
  queue_position INTEGER NOT NULL,
  evicted INTEGER NOT NULL DEFAULT 0,
  UNIQUE (workflow, number)
);
CREATE INDEX run_by_status ON run (status);
CREATE INDEX run_by_workflow_status ON run (workflow, status);
CREATE INDEX run_by_version ON run (version);
CREATE INDEX run_in_queue ON run (queue_position) WHERE status = 0;
CREATE INDEX run_with_values ON run (workflow) WHERE evicted = 0 AND status IN (3, 4, 5);

-- The runs of one submission have consecutive keys.
CREATE TABLE request (
  key TEXT PRIMARY KEY,
  first_run INTEGER NOT NULL,
  runs INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE event (
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- item: -1 is the node itself. The JSON of a value is `body`, or the blob `large`; neither means "not kept".
CREATE TABLE value (
  run INTEGER NOT NULL,
  node TEXT NOT NULL,
  item INTEGER NOT NULL,
  port TEXT NOT NULL,
  body TEXT,
  large BLOB,
  PRIMARY KEY (run, node, item, port)
) WITHOUT ROWID;

-- refs: how many params, values, assets and folders name these bytes. inline: the bytes, or NULL for a file.
-- folder: its entries are counted in their own blobs.
CREATE TABLE blob (
  key INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  bytes INTEGER NOT NULL,
  refs INTEGER NOT NULL DEFAULT 0,
  folder INTEGER NOT NULL DEFAULT 0,
  inline BLOB
);
CREATE INDEX blob_unreferenced ON blob (hash) WHERE refs = 0;

-- kind: 0 image, 1 audio, 2 video, 3 text, 4 number, 5 json, 6 file, 7 dir. preview: 0 pending, 1 ready, 2 none.
CREATE TABLE asset (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  workflow INTEGER NOT NULL,
  run INTEGER NOT NULL,
  node TEXT NOT NULL,
  item INTEGER NOT NULL,
  port TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  mime TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  starred INTEGER NOT NULL,
  preview INTEGER NOT NULL,
  value TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  cost_usd REAL,
  UNIQUE (run, node, item, port, ordinal)
);
CREATE INDEX asset_by_workflow ON asset (workflow);
CREATE INDEX asset_by_node ON asset (workflow, node);
CREATE INDEX asset_by_workflow_kind ON asset (workflow, kind);
CREATE INDEX asset_by_run ON asset (run);
CREATE INDEX asset_by_kind ON asset (kind);
CREATE INDEX asset_starred ON asset (starred) WHERE starred = 1;
CREATE INDEX asset_without_preview ON asset (preview) WHERE preview = 0;

CREATE TABLE preview (
  asset INTEGER PRIMARY KEY,
  mime TEXT NOT NULL,
  bytes BLOB NOT NULL
);

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
