-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE deliveries ADD COLUMN early bigint;
ALTER TABLE deliveries ADD COLUMN scheduled bigint;
