-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE sessions ADD COLUMN fingerprint bytea NOT NULL DEFAULT '';
