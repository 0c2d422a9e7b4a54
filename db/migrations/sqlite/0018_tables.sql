-- +goose Up

-- The rows of fixed tables, which versions of the configuration share.
CREATE TABLE parts (
    hash    TEXT PRIMARY KEY,
    content BLOB NOT NULL
) WITHOUT ROWID;
ALTER TABLE plans ADD COLUMN parts TEXT; -- a JSON list of hashes

-- What rules remember, and look up.
CREATE TABLE records (
    tbl     TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL, -- a JSON object
    version INTEGER NOT NULL, -- raised by each write
    event   INTEGER NOT NULL, -- that wrote it last; 0: an operator did
    changed INTEGER NOT NULL, -- µs
    expires INTEGER NOT NULL, -- µs
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;
CREATE INDEX records_expires ON records (expires);
