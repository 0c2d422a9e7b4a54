-- +goose Up
CREATE TABLE memory (
    connection text   NOT NULL,
    key        text   NOT NULL,
    value      text   NOT NULL,
    expires    bigint NOT NULL,
    PRIMARY KEY (connection, key)
);
