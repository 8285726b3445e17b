-- Who may sign in. Passwords as argon2id hashes; sessions and links as SHA-256 of what the browser holds.
CREATE TABLE operators (
  name TEXT PRIMARY KEY,
  password TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  -- A JSON list; none: every account.
  accounts TEXT,
  language TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  hash BLOB PRIMARY KEY,
  operator TEXT NOT NULL,
  csrf TEXT NOT NULL,
  agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_operator ON sessions (operator);

-- Links that work once.
CREATE TABLE links (
  hash BLOB PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Failed sign-ins: by the name that was typed, and by the network that it came from.
CREATE TABLE failures (
  id INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX failures_subject ON failures (subject, at);
CREATE INDEX failures_at ON failures (at);

-- Who did what: only appended to.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_kept BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_all BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- What a person looks for by.
CREATE INDEX orders_channel ON orders (channel, seq);
CREATE INDEX orders_phone ON orders (phone) WHERE phone <> '';
CREATE INDEX orders_email ON orders (email) WHERE email <> '';
CREATE INDEX orders_crm ON orders (crm_order_id) WHERE crm_order_id IS NOT NULL;
CREATE INDEX orders_by_number ON orders (number);
