-- +goose Up

-- Each look at what is due asks for it kind by kind, and what is scheduled for later
-- is not in its way.
DROP INDEX IF EXISTS timers_due;
CREATE INDEX timers_due ON timers (kind, due);

-- What failed, the newest first, of whatever connection; and of which events.
DROP INDEX IF EXISTS deliveries_failed;
CREATE INDEX deliveries_failed ON deliveries (id, connection, event) WHERE state = 2;
