-- +goose Up
-- What is said in ../sqlite is not said again. The one before goes when the next is
-- there: until then replicas read. The two tables have a transaction each, for a commit
-- locks them one after the other.

CREATE INDEX deliveries_failed_next ON deliveries (id, connection, event) WHERE state = 2;
DROP INDEX IF EXISTS deliveries_failed;
ALTER INDEX deliveries_failed_next RENAME TO deliveries_failed;
