-- +goose Up

-- What is kept of events may be packed with words (db/content.go): a version that
-- does not know them refuses the database.
SELECT 1;
