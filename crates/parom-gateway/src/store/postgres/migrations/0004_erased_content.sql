-- What an erased order was made of, as a hash: a file that is imported again, by whatever key, makes it no second time.
CREATE INDEX erased_content ON idempotency_keys (channel, content) WHERE substr(key, 1, 7) = 'erased:';
