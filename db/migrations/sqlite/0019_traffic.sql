-- +goose Up

-- How many events of a source, and attempts of a connection, there were in the
-- same five minutes, by how they ended, of all processes together. It is added
-- to every half minute.
CREATE TABLE traffic (
    slot    INTEGER NOT NULL, -- which five minutes since 1970
    of_what INTEGER NOT NULL, -- 1: events of a source, 2: attempts of a connection
    name    TEXT NOT NULL,
    result  TEXT NOT NULL,    -- the event's state; delivered or failed
    count   INTEGER NOT NULL,
    PRIMARY KEY (slot, of_what, name, result)
) WITHOUT ROWID;
