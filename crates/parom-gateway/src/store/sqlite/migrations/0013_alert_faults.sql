-- What is wrong beside orders and was told of, in words of the program; until it is over.
CREATE TABLE alert_faults (
  fault TEXT PRIMARY KEY,
  told_at INTEGER NOT NULL
) STRICT;
