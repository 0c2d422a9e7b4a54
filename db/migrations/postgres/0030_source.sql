-- +goose Up
-- What is said in ../sqlite is not said again.

CREATE INDEX events_source ON events (source, id);
