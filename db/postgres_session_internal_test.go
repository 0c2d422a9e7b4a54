package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
)

// fakeServer answers every query with what a session says of itself; each
// connection takes the next pid.
type fakeServer struct {
	pids   []int64
	rest   []driver.Value // of the row: version, encoding, schema
	opened int
}

func (f *fakeServer) Driver() driver.Driver { return nil }

func (f *fakeServer) Connect(context.Context) (driver.Conn, error) {
	f.opened++
	return fakeConn{row: append([]driver.Value{f.pids[f.opened-1]}, f.rest...)}, nil
}

type fakeConn struct{ row []driver.Value }

func (c fakeConn) Prepare(string) (driver.Stmt, error)      { return nil, errors.ErrUnsupported }
func (c fakeConn) Begin() (driver.Tx, error)                { return nil, errors.ErrUnsupported }
func (c fakeConn) Close() error                             { return nil }
func (c fakeConn) CheckNamedValue(*driver.NamedValue) error { return nil }
func (c fakeConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &fakeRows{row: c.row}, nil
}

type fakeRows struct{ row []driver.Value }

func (r *fakeRows) Columns() []string { return make([]string, 4) }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	if r.row == nil {
		return io.EOF
	}
	copy(dest, r.row)
	r.row = nil
	return nil
}

// Two connections that have one session between them are a pooler's that lends
// it for single transactions: locks and LISTEN would be anybody's.
func TestInspect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pids []int64
		rest []driver.Value
		want error
	}{
		"fit for use":      {[]int64{7, 8}, []driver.Value{int64(150004), "UTF8", "public"}, nil},
		"pooled":           {[]int64{7, 7}, []driver.Value{int64(150004), "UTF8", "public"}, errPooled},
		"too old":          {[]int64{7, 8}, []driver.Value{int64(120022), "UTF8", "public"}, errTooOld},
		"another encoding": {[]int64{7, 8}, []driver.Value{int64(150004), "LATIN1", "public"}, errEncoding},
		"no schema":        {[]int64{7, 8}, []driver.Value{int64(150004), "UTF8", nil}, errNoSchema},
	} {
		db := sql.OpenDB(&fakeServer{pids: test.pids, rest: test.rest})
		schema, err := inspect(t.Context(), db)
		if !errors.Is(err, test.want) || (err == nil) != (schema == "public") {
			t.Errorf("%s: %q, %v", name, schema, err)
		}
		if err != nil && Remedy(err) == "" {
			t.Errorf("%s: nothing says what to do", name)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
