-- +goose Up

-- What is needed to explain an event by the rules that judged it: their text,
-- and the shapes of what they name. See app/version.go. NULL: the version was
-- saved before this was kept.
ALTER TABLE plans ADD COLUMN source BLOB;
-- µs: when it was last known to be in force; 0: not known.
ALTER TABLE plans ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE plans SET used = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;

-- Runs of a replay: stored events through the rules in force.
CREATE TABLE replay_runs (
    id        INTEGER PRIMARY KEY, -- grows with time, as events.id
    created   INTEGER NOT NULL,    -- µs
    selection TEXT    NOT NULL,    -- JSON: which events
    past      INTEGER NOT NULL,    -- events from this id on are not meant: they came after the run began
    cursor    INTEGER NOT NULL,    -- the last event that was looked at
    seen      INTEGER NOT NULL,    -- events looked at
    events    INTEGER NOT NULL,    -- events replayed
    made      INTEGER NOT NULL,    -- deliveries made
    done      INTEGER NOT NULL     -- 1: nothing is left to do
);

-- What each run did with each event. The key is what keeps a run from doing an
-- event twice.
CREATE TABLE replays (
    event      INTEGER NOT NULL,
    run        INTEGER NOT NULL,
    at         INTEGER NOT NULL, -- µs
    plan       INTEGER NOT NULL, -- the rules that judged it this time
    verdicts   TEXT    NOT NULL,
    errors     TEXT,
    deliveries INTEGER NOT NULL,
    first      INTEGER NOT NULL, -- as in events
    PRIMARY KEY (event, run)
) WITHOUT ROWID;
