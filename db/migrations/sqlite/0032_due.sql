-- +goose Up

-- Each look at what is due asks for it kind by kind, and what is scheduled for later
-- is not in its way.
CREATE INDEX timers_due_kind ON timers (kind, due);
