-- +goose Up

-- What the receiver calls what it made of the delivery: a JSON object of texts.
ALTER TABLE deliveries ADD COLUMN outputs text;
