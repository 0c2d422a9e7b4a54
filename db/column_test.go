package db_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hookgate/db"
	"hookgate/test/pgtest"
)

// What PostgreSQL reads of a column is what was put in, by every type, with
// and without NULL, whatever statement had the buffer before, and beside
// parameters that pgx makes.
func TestColumn(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.Shared(t).URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	db.RegisterColumns(conn.TypeMap())
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		type row struct {
			Long  int64
			Int   int32
			Short int16
			Yes   bool
			Text  string
			Bytes []byte
		}
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{
				rapid.Int64().Draw(t, "long"), rapid.Int32().Draw(t, "int"), rapid.Int16().Draw(t, "short"), rapid.Bool().Draw(t, "yes"),
				rapid.StringOf(rapid.RuneFrom([]rune("aä\\{}\",NUL\n𝄞"))).Draw(t, "text"), rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOf(rapid.Byte())).Draw(t, "bytes"),
			}
		}), 1, 30).Draw(t, "rows")
		var c db.Columns
		c.Reset()
		for _, r := range rows {
			c.Add(r.Long, r.Int, r.Short, r.Yes, r.Text, r.Bytes)
		}
		args := append(c.Args(), "extra", []int64{1, 2})
		batch := &pgx.Batch{}
		const query = `SELECT * FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::boolean[], $5::text[], $6::bytea[]) WHERE $7::text = 'extra' AND $8::bigint[] = '{1,2}'`
		var got [2][]row
		for i := range got {
			batch.Queue(query, args...).Query(func(list pgx.Rows) error {
				var err error
				got[i], err = pgx.CollectRows(list, pgx.RowToStructByPos[row])
				return err
			})
		}
		if err := conn.SendBatch(ctx, batch).Close(); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if diff := cmp.Diff(rows, got[i], cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) })); diff != "" {
				t.Errorf("statement %d (-put +read):\n%s", i+1, diff)
			}
		}
	})
}
