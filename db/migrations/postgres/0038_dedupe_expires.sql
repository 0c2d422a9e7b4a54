-- +goose Up

-- What is said in ../sqlite is not said again.
CREATE INDEX dedupe_expires ON dedupe (expires);
