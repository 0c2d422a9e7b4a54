-- +goose Up

ALTER TABLE switches ADD COLUMN ends bigint NOT NULL DEFAULT 0;
