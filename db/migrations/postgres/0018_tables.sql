-- +goose Up

-- The rows of fixed tables, which versions of the configuration share.
CREATE TABLE parts (
    hash    text PRIMARY KEY,
    content bytea NOT NULL
);
ALTER TABLE plans ADD COLUMN parts text; -- a JSON list of hashes

-- What rules remember, and look up.
CREATE TABLE records (
    tbl     text   NOT NULL,
    key     text   NOT NULL,
    value   text   NOT NULL, -- a JSON object
    version bigint NOT NULL, -- raised by each write
    event   bigint NOT NULL, -- that wrote it last; 0: an operator did
    changed bigint NOT NULL, -- µs
    expires bigint NOT NULL, -- µs
    PRIMARY KEY (tbl, key)
);
CREATE INDEX records_expires ON records (expires);
