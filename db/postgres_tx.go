package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// pgTx is a running transaction, as a writeOp sees it.
type pgTx struct {
	ctx context.Context //nolint:containedctx // of one commit; a writeOp takes none
	e   *postgres
	at  stamp
}

func (t *pgTx) stamp() stamp { return t.at }

func (t *pgTx) exec(query string, args ...any) error {
	_, err := t.e.conn.Exec(t.ctx, t.e.bound.bind(query), Clean(args)...)
	return err
}

func (t *pgTx) query(scan func(row []any) error, query string, args ...any) error {
	rows, err := t.e.conn.Query(t.ctx, t.e.bound.bind(query), Clean(args)...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

func (t *pgTx) notify(connection string) error {
	return t.exec(`SELECT pg_notify('`+channel+`', ?1)`, connection)
}

// overwrite does nothing: what is deleted is VACUUM's business.
func (t *pgTx) overwrite() (restore func(), err error) { return func() {}, nil }

// scanAll calls scan for each row, with numbers as the other engine has them.
func scanAll(rows pgx.Rows, scan func(row []any) error) error {
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return fmt.Errorf("read row: %w", err)
		}
		for i, v := range row {
			switch n := v.(type) {
			case int16:
				row[i] = int64(n)
			case int32:
				row[i] = int64(n)
			}
		}
		if scan == nil {
			continue
		}
		if err := scan(row); err != nil {
			return err
		}
	}
	return rows.Err()
}
