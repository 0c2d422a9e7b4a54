-- +goose Up

-- Each look at what is due asks for it kind by kind, and what is scheduled for later
-- is not in its way.
DROP INDEX IF EXISTS timers_due;
CREATE INDEX timers_due ON timers (kind, due);
