-- What later requests of a sender change of an order that is in the CRM, each made once.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  seq INTEGER NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('payment', 'status')),
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
CREATE INDEX changes_open ON changes (account, due_at) WHERE state IN ('queued', 'sending', 'unconfirmed');
CREATE INDEX changes_seq ON changes (seq, id);
