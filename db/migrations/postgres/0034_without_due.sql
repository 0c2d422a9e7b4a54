-- +goose Up

DROP INDEX IF EXISTS timers_due;
