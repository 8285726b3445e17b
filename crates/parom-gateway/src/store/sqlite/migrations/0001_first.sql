-- Times are milliseconds since 1970, UTC. Rows of an order share its number `seq`.

CREATE TABLE channel_versions (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  text TEXT NOT NULL,
  usable INTEGER NOT NULL,
  first_seen_at INTEGER NOT NULL,
  UNIQUE (channel, text)
) STRICT;

-- One request as received: never changed.
CREATE TABLE submissions (
  seq INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  door TEXT NOT NULL,
  content_type TEXT NOT NULL,
  context TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE orders (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  channel_version INTEGER NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('held','queued','sending','unconfirmed','delivered','rejected','disputed','canceled')),
  reason TEXT NOT NULL DEFAULT '',
  source_id INTEGER,
  number TEXT NOT NULL,
  -- The number is this order's: no other order of ours may take it.
  owns_number INTEGER NOT NULL,
  body TEXT NOT NULL,
  problems TEXT NOT NULL,
  content BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  resends INTEGER NOT NULL DEFAULT 0,
  crm_order_id INTEGER,
  buyer TEXT NOT NULL,
  phone TEXT NOT NULL,
  email TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX orders_number ON orders (account, source_id, number) WHERE owns_number = 1;
CREATE INDEX orders_queue ON orders (account, seq) WHERE state = 'queued';
CREATE INDEX orders_doubt ON orders (account, seq) WHERE state IN ('sending', 'unconfirmed');
CREATE INDEX orders_waiting ON orders (state, seq) WHERE state IN ('held', 'rejected', 'disputed');
CREATE INDEX orders_delivered ON orders (account, updated_at) WHERE state = 'delivered';
CREATE INDEX orders_content ON orders (channel, content, received_at);

CREATE TABLE idempotency_keys (
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;

-- The history of each order: only appended to.
CREATE TABLE order_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX order_events_seq ON order_events (seq);

-- One row a POST: the intent first, its result later.
CREATE TABLE attempts (
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT,
  status INTEGER,
  answer TEXT,
  PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;

-- The rate ledger: each request to the CRM, committed before it goes.
CREATE TABLE crm_requests (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX crm_requests_at ON crm_requests (account, at);

CREATE TABLE transitions (
  was TEXT NOT NULL,
  becomes TEXT NOT NULL,
  PRIMARY KEY (was, becomes)
) STRICT, WITHOUT ROWID;
INSERT INTO transitions VALUES
  ('held','queued'), ('held','canceled'),
  ('queued','held'), ('queued','sending'), ('queued','canceled'),
  ('sending','delivered'), ('sending','queued'), ('sending','rejected'), ('sending','unconfirmed'),
  ('unconfirmed','delivered'), ('unconfirmed','queued'), ('unconfirmed','disputed'),
  ('delivered','disputed'),
  ('rejected','queued'), ('rejected','canceled'),
  ('disputed','unconfirmed'), ('disputed','delivered'), ('disputed','canceled');

CREATE TRIGGER orders_legal BEFORE UPDATE OF state ON orders
WHEN NEW.state <> OLD.state
  AND NOT EXISTS (SELECT 1 FROM transitions WHERE was = OLD.state AND becomes = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal transition'); END;

CREATE TRIGGER submissions_kept BEFORE UPDATE ON submissions BEGIN SELECT RAISE(ABORT, 'a submission is immutable'); END;
CREATE TRIGGER order_events_kept BEFORE UPDATE ON order_events BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER order_events_all BEFORE DELETE ON order_events BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
