-- +goose Up
-- What is said in ../sqlite is not said again. These four have a transaction each: in
-- one, an index that is made and one that goes want two locks of a table one after the
-- other, between which replicas that are at work come, and each waits for the other.

CREATE INDEX deliveries_failed_newest ON deliveries (id, connection, event) WHERE state = 2;
