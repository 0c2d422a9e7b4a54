-- +goose Up

-- What happened that rules are to be told of, written in the commit of what
-- happened. The row is the memory of what was told, too.
CREATE TABLE signals (
    name  text   NOT NULL, -- the type of the event to be made
    key   text   NOT NULL,
    due   bigint NOT NULL, -- µs: not told of before
    rest  bigint NOT NULL, -- µs from one event of it to the next; 0: it is forgotten
    count bigint NOT NULL, -- how often it happened that nobody was told of
    value text   NOT NULL, -- JSON
    PRIMARY KEY (name, key)
);
CREATE INDEX signals_due ON signals (due) WHERE count > 0;
