-- When its sender changed the order last, by the sender's clock, and how often a later request took its place.
ALTER TABLE orders ADD COLUMN changed_at INTEGER;
ALTER TABLE orders ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;

-- Later requests for an order that is known, as received.
CREATE TABLE updates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  seq INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  changed_at INTEGER,
  -- It took the order's place, waits to take it should the order be queued again, was kept beside it, or came after a
  -- newer one.
  result TEXT NOT NULL CHECK (result IN ('replaced', 'waiting', 'kept', 'late')),
  -- What a waiting one becomes in the order's place.
  becomes TEXT,
  content BLOB NOT NULL,
  content_type TEXT NOT NULL,
  context TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX updates_seq ON updates (seq, id);
CREATE TRIGGER updates_kept BEFORE UPDATE OF seq, received_at, changed_at, content, content_type, context, body ON updates
BEGIN SELECT RAISE(ABORT, 'an update is immutable'); END;
