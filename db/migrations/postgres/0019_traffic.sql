-- +goose Up

-- How many events of a source, and attempts of a connection, there were in the
-- same five minutes, by how they ended, of all processes together. It is added
-- to every half minute.
CREATE TABLE traffic (
    slot    bigint NOT NULL, -- which five minutes since 1970
    of_what bigint NOT NULL, -- 1: events of a source, 2: attempts of a connection
    name    text NOT NULL,
    result  text NOT NULL,    -- the event's state; delivered or failed
    count   bigint NOT NULL,
    PRIMARY KEY (slot, of_what, name, result)
);
