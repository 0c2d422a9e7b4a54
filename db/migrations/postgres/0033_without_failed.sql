-- +goose Up

DROP INDEX IF EXISTS deliveries_failed;
