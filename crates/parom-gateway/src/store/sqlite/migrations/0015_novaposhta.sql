-- Nova Poshta's directory: a generation is fetched page by page beside the one in use, and takes its place when it is whole.
CREATE TABLE novaposhta_pages (
  generation INTEGER NOT NULL,
  list TEXT NOT NULL,
  page INTEGER NOT NULL,
  rows TEXT NOT NULL,
  PRIMARY KEY (generation, list, page)
) STRICT, WITHOUT ROWID;

-- One row. Times are milliseconds; 0: never.
CREATE TABLE novaposhta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL,
  last INTEGER NOT NULL,
  fetched_at INTEGER NOT NULL,
  tried_at INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  taken_until INTEGER NOT NULL,
  outcome TEXT NOT NULL
) STRICT;
INSERT INTO novaposhta VALUES (1, 0, 0, 0, 0, 0, 0, '');

-- A person may choose the branch of an order that is in the CRM.
CREATE TABLE changes_with_branches (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  seq INTEGER NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('payment', 'status', 'branch')),
  -- As the channel's rule gave it; a payment goes with its mark.
  body TEXT NOT NULL,
  mark TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'unconfirmed', 'done', 'refused', 'superseded')),
  attempts INTEGER NOT NULL DEFAULT 0,
  looks INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  note TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO changes_with_branches SELECT * FROM changes;
DROP TABLE changes;
ALTER TABLE changes_with_branches RENAME TO changes;
CREATE INDEX changes_open ON changes (account, due_at) WHERE state IN ('queued', 'sending', 'unconfirmed');
CREATE INDEX changes_seq ON changes (seq, id);
