-- +goose Up
-- What is said in ../sqlite is not said again.

ALTER TABLE timers ADD COLUMN size bigint NOT NULL DEFAULT 0;
ALTER TABLE timers ADD COLUMN latest bigint;

CREATE TABLE digest_items (
    delivery bigint  PRIMARY KEY,
    digest   bigint  NOT NULL,
    place    bigint  NOT NULL,
    event    bigint  NOT NULL,
    size     bigint  NOT NULL
);
CREATE INDEX digest_items_digest ON digest_items (digest);
CREATE INDEX digest_items_event ON digest_items (event);

-- An event joins a digest in one journey: the open one of the name and key, or, where
-- there is none, or it is due or full, one that it opens.
-- +goose StatementBegin
CREATE FUNCTION join_digest(made bigint, of_event bigint, of_name text, of_key text, closes bigint, or_at bigint, after bigint, most bigint, bytes bigint, limit_bytes bigint, upto bigint, info bytea)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at     bigint := now_us();
    joined bigint;
    nth    bigint;
BEGIN
    LOOP
        INSERT INTO timers (id, kind, name, key, due, count, value, size, latest)
            VALUES (made, 2, of_name, of_key, CASE WHEN closes > at THEN closes WHEN or_at > 0 THEN or_at ELSE at + after END, 1, info, bytes, CASE WHEN most > 0 THEN at + most END)
            ON CONFLICT (kind, name, key) DO UPDATE SET count = timers.count + 1, size = timers.size + excluded.size,
                due = CASE WHEN timers.latest IS NULL OR excluded.latest IS NULL THEN timers.due ELSE least(excluded.due, timers.latest) END
                WHERE timers.due > at AND timers.size + excluded.size <= limit_bytes
            RETURNING id, count INTO joined, nth;
        EXIT WHEN FOUND;
        UPDATE timers SET key = '#' || id, due = least(due, at) WHERE kind = 2 AND name = of_name AND key = of_key;
    END LOOP;
    INSERT INTO digest_items (delivery, digest, place, event, size) VALUES (made, joined, nth, of_event, bytes);
    IF nth >= upto THEN
        UPDATE timers SET key = '#' || id, due = least(due, at) WHERE id = joined;
    END IF;
END $$;
-- +goose StatementEnd
