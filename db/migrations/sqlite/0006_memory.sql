-- +goose Up

-- What connections keep of earlier deliveries, such as where a message is that
-- later ones answer to.
CREATE TABLE memory (
    connection TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    expires    INTEGER NOT NULL, -- µs
    PRIMARY KEY (connection, key)
) WITHOUT ROWID;
