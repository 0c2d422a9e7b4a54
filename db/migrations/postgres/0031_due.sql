-- +goose Up
-- What is said in ../sqlite is not said again.

DROP INDEX IF EXISTS timers_due;
CREATE INDEX timers_due ON timers (kind, due, id);

DROP INDEX IF EXISTS deliveries_failed;
CREATE INDEX deliveries_failed ON deliveries (id, connection, event) WHERE state = 2;
