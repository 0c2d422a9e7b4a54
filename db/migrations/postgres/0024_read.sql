-- +goose Up
-- What is said in ../sqlite is not said again. What comes from now on, also by a
-- process that does not know of the column, is new.

ALTER TABLE events ADD COLUMN seen smallint NOT NULL DEFAULT 1;
ALTER TABLE events ALTER COLUMN seen SET DEFAULT 0;
