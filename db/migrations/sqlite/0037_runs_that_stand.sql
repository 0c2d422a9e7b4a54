-- +goose Up

-- active is 2 for a run that was paused, or that its fuse halted: it can go on.
UPDATE retry_runs SET active = 2 WHERE active = 0 AND doc ->> 'state' IN ('paused', 'halted');
