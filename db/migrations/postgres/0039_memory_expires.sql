-- +goose Up

-- What is said in ../sqlite is not said again.
CREATE INDEX memory_expires ON memory (expires);
