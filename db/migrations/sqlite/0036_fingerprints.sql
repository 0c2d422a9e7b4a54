-- +goose Up

-- Of the password that the user of a session had when it began: one that is changed
-- ends the session. x'' for who logged in at a provider, and for sessions that are
-- older than this column: those of users end with it.
ALTER TABLE sessions ADD COLUMN fingerprint BLOB NOT NULL DEFAULT x'';
