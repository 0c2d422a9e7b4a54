-- +goose Up
-- What is said in ../sqlite is not said again.

CREATE TABLE timers (
    id    bigint   PRIMARY KEY,
    kind  smallint NOT NULL,
    name  text     NOT NULL,
    key   text     NOT NULL,
    due   bigint   NOT NULL,
    count bigint   NOT NULL DEFAULT 0,
    value bytea,
    UNIQUE (kind, name, key)
);
CREATE INDEX timers_due ON timers (due);

ALTER TABLE deliveries ADD COLUMN flow smallint;
ALTER TABLE deliveries ADD COLUMN moment bigint;
CREATE INDEX deliveries_scheduled ON deliveries (connection, id) WHERE state = 4;

ALTER TABLE events ADD COLUMN reserved integer;
ALTER TABLE replays ADD COLUMN reserved integer;
