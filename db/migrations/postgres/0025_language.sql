-- +goose Up

-- What of the language of rules a replica knows: see rules.Language. Those of versions
-- before this column know 0.
ALTER TABLE replicas ADD COLUMN language integer NOT NULL DEFAULT 0;
