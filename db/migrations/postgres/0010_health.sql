-- +goose Up

-- How many attempts of a connection ended in the same five minutes and took
-- about as long, of all processes together. It is added to every half minute.
CREATE TABLE health (
    connection text NOT NULL,
    slot       bigint NOT NULL, -- which five minutes since 1970
    class      bigint NOT NULL, -- of durations
    attempts   bigint NOT NULL,
    failed     bigint NOT NULL,
    PRIMARY KEY (slot, connection, class)
);

-- How the latest attempt ended, and which failed last; what it failed with is
-- in table attempts.
CREATE TABLE health_last (
    connection text NOT NULL PRIMARY KEY,
    ended      bigint NOT NULL, -- µs
    failing    bigint NOT NULL, -- 1: it failed
    failed_at  bigint NOT NULL, -- µs; 0: none has failed
    delivery   bigint NOT NULL,
    number     bigint NOT NULL
);
