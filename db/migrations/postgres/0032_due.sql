-- +goose Up

CREATE INDEX timers_due_kind ON timers (kind, due, id);
