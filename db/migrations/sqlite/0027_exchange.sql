-- +goose Up

-- What an attempt asked and was answered, but for the bodies: the line of the
-- request, then a line for each header of the answer that is kept. NULL: it is not
-- known, or it was no HTTP. An attempt that delivered has it in deliveries.
ALTER TABLE attempts ADD COLUMN exchange TEXT;
ALTER TABLE deliveries ADD COLUMN exchange TEXT;
