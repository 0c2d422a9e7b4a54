-- +goose Up

-- What retention deletes is found by it: without it all that is there is read.
CREATE INDEX dedupe_expires ON dedupe (expires);
