-- +goose Up

-- What keeps all replicas from sending to a connection: see event.Gate. Rows
-- change many times a second, in place: nothing but the key has an index.
CREATE TABLE gates (
    connection text     PRIMARY KEY,
    next       bigint   NOT NULL DEFAULT 0, -- µs: the next free start of its rate
    opened     bigint   NOT NULL DEFAULT 0, -- µs: when the breaker was opened first; 0: it is closed
    retry      bigint   NOT NULL DEFAULT 0, -- µs: no probe before
    claim      bigint   NOT NULL DEFAULT 0, -- number of the latest probe
    prober     bigint   NOT NULL DEFAULT 0, -- who claimed it
    probing    bigint   NOT NULL DEFAULT 0, -- µs: it is under way until then at the latest
    paused     bigint   NOT NULL DEFAULT 0  -- µs: the receiver asked to be left alone until then
) WITH (fillfactor = 50);
