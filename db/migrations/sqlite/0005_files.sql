-- +goose Up

-- The files that came with form posts; their contents are in a folder, under
-- these ids. A row without an event is what is left of a file until its
-- content is removed too.
CREATE TABLE files (
    id      TEXT    PRIMARY KEY, -- random
    event   INTEGER NOT NULL,    -- 0: to be removed
    field   TEXT    NOT NULL,    -- of the form
    name    TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    size    INTEGER NOT NULL,    -- bytes
    sha256  TEXT    NOT NULL,
    created INTEGER NOT NULL     -- µs
) WITHOUT ROWID;
CREATE INDEX files_event ON files (event);
