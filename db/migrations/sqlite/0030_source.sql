-- +goose Up

-- The events of each source, the newest first, however many of others there are.
CREATE INDEX events_source ON events (source);
