-- +goose Up
-- What is said in ../sqlite is not said again.

CREATE INDEX events_form ON events (source, id, state) WHERE form = 1;
