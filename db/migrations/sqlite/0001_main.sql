-- +goose Up

-- Facts about the database itself, such as the number of this node.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- Every configuration that judged an event, with the names of its rules in
-- order: events.verdicts has one letter for each of them.
CREATE TABLE plans (
    id      INTEGER PRIMARY KEY,
    hash    TEXT    NOT NULL UNIQUE,
    rules   TEXT    NOT NULL, -- JSON list of names
    created INTEGER NOT NULL  -- µs
);

CREATE TABLE events (
    id           INTEGER PRIMARY KEY, -- grows with time, see event.ID
    source       TEXT    NOT NULL,
    form         INTEGER NOT NULL, -- 1: source names a form
    type         TEXT    NOT NULL,
    received     INTEGER NOT NULL, -- µs
    state        INTEGER NOT NULL, -- see states in encode.go
    cause        TEXT,
    duplicate_of INTEGER,
    plan         INTEGER NOT NULL,
    verdicts     TEXT    NOT NULL,
    errors       TEXT,             -- JSON: messages of rule errors by rule
    deliveries   INTEGER NOT NULL, -- how many were made on acceptance
    first        INTEGER NOT NULL, -- the first of them; their ids follow each other
    content      BLOB    NOT NULL  -- request, body and data, see content.go
);
-- The rare states are the ones people look for; the common ones have no index to pay for.
CREATE INDEX events_rare ON events (state, id) WHERE state >= 2;

CREATE TABLE dedupe (
    source  TEXT    NOT NULL,
    key     BLOB    NOT NULL, -- hash of the sender's id, or of the body
    event   INTEGER NOT NULL,
    expires INTEGER NOT NULL, -- µs
    PRIMARY KEY (source, key)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    id         INTEGER PRIMARY KEY,
    event      INTEGER NOT NULL,
    rule       TEXT    NOT NULL,
    action     INTEGER NOT NULL,
    connection TEXT    NOT NULL,
    key        TEXT,             -- ordering key
    state      INTEGER NOT NULL, -- 0 open, 1 delivered, 2 failed, 3 cancelled
    owner      INTEGER NOT NULL, -- the process that holds it; 0: nobody
    due        INTEGER,          -- µs: open: when it may go; held: until then; NULL: waits for its key
    claim      INTEGER NOT NULL, -- fencing token
    attempts   INTEGER NOT NULL, -- finished ones
    base       INTEGER NOT NULL, -- attempts before the last retry by hand
    error      TEXT,
    warnings   TEXT,             -- JSON list
    output     BLOB    NOT NULL,
    -- The attempt that delivered it: most need just one, and a row of its own
    -- for it would be a quarter of the writing.
    started    INTEGER,
    duration   INTEGER,
    status     INTEGER,
    answer     BLOB
);
CREATE INDEX deliveries_open ON deliveries (owner, connection, due) WHERE state = 0;
CREATE INDEX deliveries_key ON deliveries (connection, key, id) WHERE state = 0 AND key IS NOT NULL;
CREATE INDEX deliveries_failed ON deliveries (connection, id) WHERE state = 2;

-- The attempts that did not deliver.
CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    started  INTEGER NOT NULL, -- µs
    duration INTEGER NOT NULL, -- µs
    status   INTEGER NOT NULL,
    error    TEXT    NOT NULL,
    answer   BLOB,
    PRIMARY KEY (delivery, number)
);
