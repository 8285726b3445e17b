-- The last submissions of channels that learn.
CREATE TABLE samples (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  context TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX samples_channel ON samples (channel, id);
