-- +goose Up

-- What is tried again, the newest first: few of a large backlog.
CREATE INDEX deliveries_retried ON deliveries (id, connection) WHERE state = 0 AND attempts > base;
