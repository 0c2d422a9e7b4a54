-- +goose Up

-- What has its time in the future. The row is the fence: whoever does what is
-- due removes or moves it in the same transaction, and only as it was read.
CREATE TABLE timers (
    id    INTEGER PRIMARY KEY, -- made as those of events; of a moment: the delivery's
    kind  INTEGER NOT NULL, -- 1 a delivery's moment, 2 a digest, 3 a join, 4 a tick, 5 what follows a result
    name  TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    due   INTEGER NOT NULL, -- µs
    count INTEGER NOT NULL DEFAULT 0,
    value BLOB,
    UNIQUE (kind, name, key)
);
CREATE INDEX timers_due ON timers (due);

ALTER TABLE deliveries ADD COLUMN flow INTEGER;   -- 1: something comes after it, 2: that needs a join, 4: it is a digest, 8: it is in one
ALTER TABLE deliveries ADD COLUMN moment INTEGER; -- µs: when it may begin; NULL: when its event was accepted
ALTER TABLE deliveries ADD COLUMN turn INTEGER;   -- its place among those of its key, once its moment has come; NULL: its id
-- deliveries.state 4: scheduled, its moment has not come.
CREATE INDEX deliveries_scheduled ON deliveries (connection, id) WHERE state = 4;
CREATE INDEX deliveries_turn ON deliveries (connection, key, coalesce(turn, id)) WHERE state = 0 AND key IS NOT NULL;
DROP INDEX deliveries_key;

-- How many ids, from first on, are the event's; NULL: as many as deliveries.
ALTER TABLE events ADD COLUMN reserved INTEGER;
ALTER TABLE replays ADD COLUMN reserved INTEGER;
