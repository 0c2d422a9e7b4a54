-- +goose Up

CREATE TABLE switches (
    connection text     PRIMARY KEY,
    paused     smallint NOT NULL,
    count      bigint   NOT NULL,
    per        bigint   NOT NULL,
    upto       bigint   NOT NULL,
    changed    bigint   NOT NULL,
    who        text     NOT NULL,
    note       text     NOT NULL
);
