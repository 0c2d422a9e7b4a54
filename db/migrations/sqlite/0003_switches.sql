-- +goose Up

-- What was said by hand of a connection: see event.Switch.
CREATE TABLE switches (
    connection TEXT    PRIMARY KEY,
    paused     INTEGER NOT NULL, -- 1: nothing is sent
    count      INTEGER NOT NULL, -- attempts in per, until the deliveries up to upto are sent; 0: no limit of its own
    per        INTEGER NOT NULL, -- µs
    upto       INTEGER NOT NULL, -- the last delivery that was held
    changed    INTEGER NOT NULL, -- µs
    who        TEXT    NOT NULL,
    note       TEXT    NOT NULL
) WITHOUT ROWID;
