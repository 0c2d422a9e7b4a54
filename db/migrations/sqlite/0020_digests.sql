-- +goose Up

-- A digest that is open is a timer of kind 2. Its name is the action's; its key is '='
-- and its own key while more may join, and '#' and its id after that. count is how many
-- have joined.
ALTER TABLE timers ADD COLUMN size INTEGER NOT NULL DEFAULT 0; -- bytes of data in a digest
ALTER TABLE timers ADD COLUMN latest INTEGER; -- µs: when a digest closes whatever joins it; NULL: what joins it does not move that

-- Which events are in which digest, also once it is closed.
CREATE TABLE digest_items (
    delivery INTEGER PRIMARY KEY, -- that was reserved for the event
    digest   INTEGER NOT NULL, -- the timer while it is open, the delivery after that
    place    INTEGER NOT NULL, -- in the order of acceptance
    event    INTEGER NOT NULL,
    size     INTEGER NOT NULL -- bytes of data
);
CREATE INDEX digest_items_digest ON digest_items (digest);
CREATE INDEX digest_items_event ON digest_items (event);
