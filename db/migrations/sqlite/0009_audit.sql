-- +goose Up

-- What was done by hand that leaves no other trace, such as a deletion. Nothing
-- of what was deleted, and nothing of whose it was, may stand here.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY, -- made as those of events: the time is in it
    action TEXT    NOT NULL,    -- forget
    detail TEXT    NOT NULL     -- a JSON object of numbers and switches
);
