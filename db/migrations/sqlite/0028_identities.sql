-- +goose Up

-- Who logged in at a provider, as JSON; '' for a user of the configuration.
ALTER TABLE sessions ADD COLUMN identity TEXT NOT NULL DEFAULT '';
