-- +goose Up

-- What failed, the newest first, of whatever connection; and of which events.
DROP INDEX IF EXISTS deliveries_failed;
CREATE INDEX deliveries_failed ON deliveries (id, connection, event) WHERE state = 2;
