-- What an order becomes in the CRM, and by which version of its account's dictionaries it was checked (0: by none).
ALTER TABLE orders ADD COLUMN target TEXT NOT NULL DEFAULT 'order' CHECK (target IN ('order', 'card'));
ALTER TABLE orders ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;

-- Two orders of ours cannot be the same row of the CRM.
CREATE INDEX orders_in_crm ON orders (account, crm_order_id) WHERE crm_order_id IS NOT NULL;

-- An account's dictionaries, a row a kind; the version grows when the rows change.
CREATE TABLE dictionaries (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,
  fetched_at INTEGER NOT NULL,
  rows TEXT NOT NULL,
  PRIMARY KEY (account, kind)
) STRICT, WITHOUT ROWID;

-- When a fetch was asked for, and how the last one ended.
CREATE TABLE dictionary_syncs (
  account TEXT PRIMARY KEY,
  asked_at INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT '',
  granted INTEGER
) STRICT, WITHOUT ROWID;
