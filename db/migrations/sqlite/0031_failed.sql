-- +goose Up

-- What failed, the newest first, of whatever connection; and of which events.
CREATE INDEX deliveries_failed_newest ON deliveries (id, connection, event) WHERE state = 2;
