-- +goose Up

-- What failed because the receiver could not be reached goes once more, beside
-- its schedule, when the connection's breaker closes.
ALTER TABLE deliveries ADD COLUMN early INTEGER;     -- µs: not before then; NULL: it waits for its schedule
ALTER TABLE deliveries ADD COLUMN scheduled INTEGER; -- µs: due by the schedule, of one that goes early; NULL: it does not
