-- +goose Up

-- As dedupe_expires.
CREATE INDEX memory_expires ON memory (expires);
