-- Keys that this store signs with: they open nothing, and say nothing of a buyer or an account.
CREATE TABLE signing_keys (
  name TEXT PRIMARY KEY,
  key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Nonces of form times that made an order, until the form time is too old anyway.
CREATE TABLE form_nonces (
  nonce BLOB PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX form_nonces_until ON form_nonces (until);
