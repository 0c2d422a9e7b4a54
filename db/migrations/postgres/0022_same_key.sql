-- +goose Up

-- Which events have an ordering key, whatever became of their deliveries.
CREATE INDEX deliveries_same ON deliveries (key, event) WHERE key IS NOT NULL;
