-- +goose Up

-- Retries of many deliveries that are done step by step: see event.RetryRun.
CREATE TABLE retry_runs (
    id      bigint PRIMARY KEY, -- grows with time, as events.id
    active  bigint NOT NULL, -- 1: it is being done
    version bigint NOT NULL, -- grows with each change: who changes it names the one he knows
    doc     text NOT NULL     -- JSON
);
