-- Accounts that a person has paused: nothing new is sent to them.
CREATE TABLE paused_accounts (
  account TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL
) STRICT, WITHOUT ROWID;
