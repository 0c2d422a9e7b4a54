-- +goose Up

-- Retries of many deliveries that are done step by step: see event.RetryRun.
CREATE TABLE retry_runs (
    id      INTEGER PRIMARY KEY, -- grows with time, as events.id
    active  INTEGER NOT NULL, -- 1: it is being done
    version INTEGER NOT NULL, -- grows with each change: who changes it names the one he knows
    doc     TEXT NOT NULL     -- JSON
);
