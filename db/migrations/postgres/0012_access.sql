-- +goose Up

-- Browsers that logged in, links that log in once, and the tokens of programs.
-- Of every secret only its SHA-256 is kept.
CREATE TABLE sessions (
    hash    bytea   PRIMARY KEY,
    who     text    NOT NULL, -- a user of the configuration
    created bigint  NOT NULL, -- µs
    seen    bigint  NOT NULL, -- µs: the last request, to some minutes
    expires bigint  NOT NULL  -- µs
);

CREATE TABLE login_links (
    hash    bytea   PRIMARY KEY,
    who     text    NOT NULL,
    expires bigint  NOT NULL, -- µs
    used    bigint  NOT NULL  -- 1: it was followed
);

CREATE TABLE tokens (
    id      bigint  PRIMARY KEY, -- made as those of events: the time is in it
    name    text    NOT NULL,
    scope   text    NOT NULL,    -- read or operate
    hash    bytea   NOT NULL UNIQUE,
    expires bigint  NOT NULL,    -- µs; 0: never
    used    bigint  NOT NULL     -- µs; 0: never
);
