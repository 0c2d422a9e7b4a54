-- +goose Up

-- What happened that rules are to be told of, written in the commit of what
-- happened. The row is the memory of what was told, too.
CREATE TABLE signals (
    name  TEXT    NOT NULL, -- the type of the event to be made
    key   TEXT    NOT NULL,
    due   INTEGER NOT NULL, -- µs: not told of before
    rest  INTEGER NOT NULL, -- µs from one event of it to the next; 0: it is forgotten
    count INTEGER NOT NULL, -- how often it happened that nobody was told of
    value TEXT    NOT NULL, -- JSON
    PRIMARY KEY (name, key)
) WITHOUT ROWID;
CREATE INDEX signals_due ON signals (due) WHERE count > 0;
