-- +goose Up

-- What an attempt asked and was answered, but for the bodies: the line of the
-- request, then a line for each header of the answer that is kept. NULL: it is not
-- known, or it was no HTTP. An attempt that delivered has it in deliveries.
ALTER TABLE attempts ADD COLUMN exchange TEXT;
ALTER TABLE deliveries ADD COLUMN exchange TEXT;

-- The form posts that nobody has read, and what was kept from the rules.
CREATE INDEX events_new ON events (source, state) WHERE seen = 0 AND form = 1;

-- Lists of events that people keep under a name.
CREATE TABLE views (
    name    TEXT    PRIMARY KEY,
    query   TEXT    NOT NULL, -- as it is typed into the search
    who     TEXT    NOT NULL, -- who kept it
    changed INTEGER NOT NULL  -- µs
) WITHOUT ROWID;
