-- +goose Up

-- 0: a form post that nobody has read. What was there before counts as read.
ALTER TABLE events ADD COLUMN seen INTEGER NOT NULL DEFAULT 1;
