-- Looks back at delivered orders: when the next one is, how many were made, and whether the order was ever in doubt.
ALTER TABLE orders ADD COLUMN check_at INTEGER;
ALTER TABLE orders ADD COLUMN looks_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX orders_check ON orders (account, check_at) WHERE state = 'delivered' AND check_at IS NOT NULL;

-- How many requests a row of the ledger stands for.
ALTER TABLE crm_requests ADD COLUMN places INTEGER NOT NULL DEFAULT 1;

-- What the store knows of itself: `incarnation`, and `restored_at` after a restore.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- An order that was not settled when its store was restored may have gone since: whoever queues it, it is looked up first.
ALTER TABLE orders ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
INSERT INTO transitions VALUES ('queued','unconfirmed');
CREATE TRIGGER orders_restored AFTER UPDATE OF state ON orders
WHEN NEW.state = 'queued' AND NEW.restored = 1
BEGIN
  UPDATE orders SET state = 'unconfirmed', reason = 'restored', restored = 0 WHERE seq = NEW.seq;
  INSERT INTO order_events (seq, at, state, actor, note)
  VALUES (NEW.seq, NEW.updated_at, 'unconfirmed', 'delivery', 'the store was restored: it is looked up before it goes');
END;
