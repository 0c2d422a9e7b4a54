-- +goose Up
-- The tables are those of ../sqlite; what is said there is not said again.

-- The clock of all replicas, in µs: due times, leases and windows are compared
-- with it and not with the clocks of the machines that hookgate runs on.
-- +goose StatementBegin
CREATE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE
AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
-- +goose StatementEnd

CREATE TABLE meta (
    key   text   PRIMARY KEY,
    value bigint NOT NULL
);

-- The processes that share the database. A row stays for a day after its
-- process ended, for what it may still hold.
CREATE TABLE replicas (
    id        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node      integer NOT NULL,               -- in the IDs that it makes; no two living ones have the same
    name      text    NOT NULL,
    version   text    NOT NULL,
    started   bigint  NOT NULL,               -- µs
    heartbeat bigint  NOT NULL,               -- µs
    lease     bigint  NOT NULL,               -- µs that it lives on without a heartbeat
    last      bigint  NOT NULL DEFAULT 0,     -- an ID that is greater than those it has made, or soon will be
    dead      boolean NOT NULL DEFAULT false  -- its lease ran out, or it has ended: what it does changes nothing
) WITH (fillfactor = 50);                     -- updated by each commit, in place

-- Every commit of a replica begins with beat: it renews the lease, and it
-- fails for one whose lease was given up. That is the fence around everything
-- that a replica writes.
-- +goose StatementBegin
CREATE FUNCTION beat(replica bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    at bigint := now_us();
BEGIN
    UPDATE replicas SET heartbeat = at WHERE id = replica AND NOT dead;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease of replica % has run out', replica USING ERRCODE = 'HG001';
    END IF;
    RETURN at;
END $$;
-- +goose StatementEnd

CREATE TABLE plans (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash    text   NOT NULL UNIQUE,
    rules   text   NOT NULL,
    created bigint NOT NULL
);

CREATE TABLE events (
    id           bigint   PRIMARY KEY,
    source       text     NOT NULL,
    form         smallint NOT NULL,
    type         text     NOT NULL,
    received     bigint   NOT NULL,
    state        smallint NOT NULL,
    cause        text,
    duplicate_of bigint,
    plan         bigint   NOT NULL,
    verdicts     text     NOT NULL,
    errors       text,
    deliveries   integer  NOT NULL,
    first        bigint   NOT NULL,
    content      bytea    NOT NULL
);
ALTER TABLE events ALTER COLUMN content SET STORAGE EXTERNAL; -- it is packed already
CREATE INDEX events_rare ON events (state, id) WHERE state >= 2;

CREATE TABLE dedupe (
    source  text   NOT NULL,
    key     bytea  NOT NULL,
    event   bigint NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (source, key)
);

-- The order of deliveries with an ordering key. IDs do not tell it: they are
-- made by the clocks of several machines. A turn is drawn under the key's lock.
CREATE SEQUENCE deliveries_turn;

CREATE TABLE deliveries (
    id         bigint   PRIMARY KEY,
    event      bigint   NOT NULL,
    rule       text     NOT NULL,
    action     integer  NOT NULL,
    connection text     NOT NULL,
    key        text,
    turn       bigint,            -- only with a key
    state      smallint NOT NULL,
    owner      bigint   NOT NULL, -- replicas.id; 0: nobody
    due        bigint,            -- µs: when it may go; held: the number of the owner's commit that took it; NULL: waits for its key
    claim      bigint   NOT NULL,
    attempts   integer  NOT NULL,
    base       integer  NOT NULL,
    error      text,
    warnings   text,
    output     bytea    NOT NULL,
    started    bigint,
    duration   bigint,
    status     integer,
    answer     bytea
) WITH (fillfactor = 80);
ALTER TABLE deliveries ALTER COLUMN output SET STORAGE EXTERNAL;
CREATE INDEX deliveries_open ON deliveries (owner, connection, due, id) WHERE state = 0;
CREATE INDEX deliveries_key ON deliveries (connection, key, turn) WHERE state = 0 AND key IS NOT NULL;
CREATE INDEX deliveries_failed ON deliveries (connection, id) WHERE state = 2;

CREATE TABLE attempts (
    delivery bigint  NOT NULL,
    number   integer NOT NULL,
    started  bigint  NOT NULL,
    duration bigint  NOT NULL,
    status   integer NOT NULL,
    error    text    NOT NULL,
    answer   bytea,
    PRIMARY KEY (delivery, number)
);
