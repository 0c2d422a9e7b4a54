-- +goose Up
-- The tables are those of ../sqlite; what is said there is not said again.

ALTER TABLE plans ADD COLUMN source bytea;
ALTER TABLE plans ADD COLUMN used bigint NOT NULL DEFAULT 0;
UPDATE plans SET used = now_us();

CREATE TABLE replay_runs (
    id        bigint  PRIMARY KEY,
    created   bigint  NOT NULL,
    selection text    NOT NULL,
    past      bigint  NOT NULL,
    cursor    bigint  NOT NULL,
    seen      bigint  NOT NULL,
    events    bigint  NOT NULL,
    made      bigint  NOT NULL,
    done      bigint  NOT NULL
);

CREATE TABLE replays (
    event      bigint  NOT NULL,
    run        bigint  NOT NULL,
    at         bigint  NOT NULL,
    plan       bigint  NOT NULL,
    verdicts   text    NOT NULL,
    errors     text,
    deliveries bigint  NOT NULL,
    first      bigint  NOT NULL,
    PRIMARY KEY (event, run)
);
