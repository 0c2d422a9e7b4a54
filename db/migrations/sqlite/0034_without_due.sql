-- +goose Up

-- timers_due_kind is in its place.
DROP INDEX IF EXISTS timers_due;
