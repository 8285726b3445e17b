-- The last order event that was told of.
CREATE TABLE alert_mark (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  event INTEGER NOT NULL,
  told_at INTEGER NOT NULL
) STRICT;

-- Messages on their way, one row each receiver.
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  receiver TEXT NOT NULL,
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given_up')),
  note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX alerts_due ON alerts (due_at) WHERE state = 'waiting';
