-- +goose Up

-- Browsers that logged in, links that log in once, and the tokens of programs.
-- Of every secret only its SHA-256 is kept.
CREATE TABLE sessions (
    hash    BLOB    PRIMARY KEY,
    who     TEXT    NOT NULL, -- a user of the configuration
    created INTEGER NOT NULL, -- µs
    seen    INTEGER NOT NULL, -- µs: the last request, to some minutes
    expires INTEGER NOT NULL  -- µs
) WITHOUT ROWID;

CREATE TABLE login_links (
    hash    BLOB    PRIMARY KEY,
    who     TEXT    NOT NULL,
    expires INTEGER NOT NULL, -- µs
    used    INTEGER NOT NULL  -- 1: it was followed
) WITHOUT ROWID;

CREATE TABLE tokens (
    id      INTEGER PRIMARY KEY, -- made as those of events: the time is in it
    name    TEXT    NOT NULL,
    scope   TEXT    NOT NULL,    -- read or operate
    hash    BLOB    NOT NULL UNIQUE,
    expires INTEGER NOT NULL,    -- µs; 0: never
    used    INTEGER NOT NULL     -- µs; 0: never
);
