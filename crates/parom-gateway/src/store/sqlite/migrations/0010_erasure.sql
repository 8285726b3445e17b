-- When a buyer's data was taken out of an order, which then holds no more than its numbers, states and times; and that a
-- person asked for it while the order was still under way.
ALTER TABLE orders ADD COLUMN erased_at INTEGER;
ALTER TABLE orders ADD COLUMN erase_asked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX orders_kept ON orders (state, updated_at) WHERE erased_at IS NULL AND state IN ('delivered', 'canceled');
CREATE INDEX orders_erase_asked ON orders (seq) WHERE erase_asked = 1;
CREATE INDEX orders_erased ON orders (erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX idempotency_keys_seq ON idempotency_keys (seq);

-- What came and what happened cannot be changed but in one way: of an order that is marked as erased, to nothing.
DROP TRIGGER submissions_kept;
CREATE TRIGGER submissions_kept BEFORE UPDATE ON submissions
WHEN NEW.body <> x'' OR NEW.context <> '{}'
  OR NEW.seq <> OLD.seq OR NEW.channel <> OLD.channel OR NEW.received_at <> OLD.received_at OR NEW.door <> OLD.door
  OR NEW.content_type <> OLD.content_type
  OR NOT EXISTS (SELECT 1 FROM orders WHERE seq = OLD.seq AND erased_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a submission is immutable'); END;

DROP TRIGGER updates_kept;
CREATE TRIGGER updates_kept BEFORE UPDATE OF seq, received_at, changed_at, content, content_type, context, body ON updates
WHEN NEW.body <> x'' OR NEW.context <> '{}'
  OR NEW.seq <> OLD.seq OR NEW.received_at <> OLD.received_at OR NEW.changed_at IS NOT OLD.changed_at
  OR NEW.content <> OLD.content OR NEW.content_type <> OLD.content_type
  OR NOT EXISTS (SELECT 1 FROM orders WHERE seq = OLD.seq AND erased_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'an update is immutable'); END;

DROP TRIGGER order_events_kept;
CREATE TRIGGER order_events_kept BEFORE UPDATE ON order_events
WHEN NEW.note <> ''
  OR NEW.id <> OLD.id OR NEW.seq <> OLD.seq OR NEW.at <> OLD.at OR NEW.state <> OLD.state OR NEW.actor <> OLD.actor
  OR NOT EXISTS (SELECT 1 FROM orders WHERE seq = OLD.seq AND erased_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

-- The audit holds no buyers' data. What is younger than 90 days stays, whatever the settings say.
DROP TRIGGER audit_all;
CREATE TRIGGER audit_all BEFORE DELETE ON audit WHEN OLD.at > (unixepoch() - 7776000) * 1000
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
