-- +goose Up

-- Which element of its rule's for_each a delivery is for, from 1; 0: the rule has none.
ALTER TABLE deliveries ADD COLUMN element INTEGER NOT NULL DEFAULT 0;

-- Why a delivery was cancelled: 1 by hand, 2 a throttle held it back, 3 a condition was
-- not met, 4 what it belonged to was removed; 0: it was not, or before this was kept.
ALTER TABLE deliveries ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;

-- How many have gone of those that a throttle lets go within its window.
ALTER TABLE dedupe ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
