-- +goose Up

CREATE INDEX timers_due_next ON timers (kind, due, id);
DROP INDEX IF EXISTS timers_due;
ALTER INDEX timers_due_next RENAME TO timers_due;
