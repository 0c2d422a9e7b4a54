-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE attempts ADD COLUMN exchange text;
ALTER TABLE deliveries ADD COLUMN exchange text;

CREATE INDEX events_new ON events (source, state) WHERE seen = 0 AND form = 1;

CREATE TABLE views (
    name    text   PRIMARY KEY,
    query   text   NOT NULL,
    who     text   NOT NULL,
    changed bigint NOT NULL
);
