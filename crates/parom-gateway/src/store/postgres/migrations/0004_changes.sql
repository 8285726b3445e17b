-- What an erased order was made of, as a hash: a file that is imported again, by whatever key, makes it no second time.
CREATE INDEX erased_content ON idempotency_keys (channel, content) WHERE substr(key, 1, 7) = 'erased:';

-- A change that was to meet another account's order of its number, since its channel goes there by now.
UPDATE changes SET state = 'refused', note = 'its channel went to another account'
WHERE state IN ('queued', 'unconfirmed') AND account <> (SELECT o.account FROM orders o WHERE o.seq = changes.seq);

CREATE INDEX order_events_unmade ON order_events (tx) WHERE actor = 'changes';

-- An order that a person has edited, and keeps here: no dictionary sends it.
ALTER TABLE orders ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
