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
