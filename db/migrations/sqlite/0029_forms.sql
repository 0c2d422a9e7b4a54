-- +goose Up

-- The posts of each form, the newest first. Events of sources, of which there are
-- many more, do not pay for it.
CREATE INDEX events_form ON events (source, id, state) WHERE form = 1;
