-- +goose Up

CREATE TABLE audit (
    id     bigint PRIMARY KEY,
    action text   NOT NULL,
    detail text   NOT NULL
);
