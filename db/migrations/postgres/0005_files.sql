-- +goose Up
-- What is said in ../sqlite is not said again.

CREATE TABLE files (
    id      text   PRIMARY KEY,
    event   bigint NOT NULL,
    field   text   NOT NULL,
    name    text   NOT NULL,
    type    text   NOT NULL,
    size    bigint NOT NULL,
    sha256  text   NOT NULL,
    created bigint NOT NULL
);
CREATE INDEX files_event ON files (event);
