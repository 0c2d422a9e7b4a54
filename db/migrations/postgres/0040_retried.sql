-- +goose Up
-- What is said in ../sqlite is not said again.

CREATE INDEX deliveries_retried ON deliveries (id, connection) WHERE state = 0 AND attempts > base;
