-- +goose Up

-- How many attempts of a connection ended in the same five minutes and took
-- about as long, of all processes together. It is added to every half minute.
CREATE TABLE health (
    connection TEXT NOT NULL,
    slot       INTEGER NOT NULL, -- which five minutes since 1970
    class      INTEGER NOT NULL, -- of durations
    attempts   INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    PRIMARY KEY (slot, connection, class)
);

-- How the latest attempt ended, and which failed last; what it failed with is
-- in table attempts.
CREATE TABLE health_last (
    connection TEXT NOT NULL PRIMARY KEY,
    ended      INTEGER NOT NULL, -- µs
    failing    INTEGER NOT NULL, -- 1: it failed
    failed_at  INTEGER NOT NULL, -- µs; 0: none has failed
    delivery   INTEGER NOT NULL,
    number     INTEGER NOT NULL
);
