-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE attempts ADD COLUMN exchange text;
ALTER TABLE deliveries ADD COLUMN exchange text;
