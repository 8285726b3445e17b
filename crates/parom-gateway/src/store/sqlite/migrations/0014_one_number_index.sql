-- An order's number was in two indexes, each of them written in a random place. Most orders own theirs, and are found by the
-- one that keeps it unique.
DROP INDEX orders_number;
DROP INDEX orders_by_number;
CREATE UNIQUE INDEX orders_number ON orders (number, account, source_id) WHERE owns_number = 1;
CREATE INDEX orders_by_number ON orders (number) WHERE owns_number = 0;
