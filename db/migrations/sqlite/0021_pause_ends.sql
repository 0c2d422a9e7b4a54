-- +goose Up

-- When a pause ends by itself, in µs; 0: somebody ends it.
ALTER TABLE switches ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
