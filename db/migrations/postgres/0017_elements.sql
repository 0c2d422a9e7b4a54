-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE deliveries ADD COLUMN element integer NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN cause smallint NOT NULL DEFAULT 0;
ALTER TABLE dedupe ADD COLUMN count integer NOT NULL DEFAULT 1;
