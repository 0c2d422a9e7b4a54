-- +goose Up

-- deliveries_failed_newest is in its place.
DROP INDEX IF EXISTS deliveries_failed;
