-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE sessions ADD COLUMN identity text NOT NULL DEFAULT '';
