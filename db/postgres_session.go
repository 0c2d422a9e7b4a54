package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldest is the first server_version_num that is supported.
const oldest = 130000

var (
	errNoSchema = errors.New("no schema of the search path exists in the database")
	errPooled   = errors.New("the pooler in front of the database gives one session's statements to several of the server's")
	errEncoding = errors.New("the database's encoding is not UTF8")
	errTooOld   = errors.New("the PostgreSQL server is too old")
)

// inSession has what config wants of a session set by a statement, once the
// connection is there: poolers refuse those that ask for what they do not know.
func inSession(config *pgx.ConnConfig) *pgx.ConnConfig {
	c := config.Copy()
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(c.RuntimeParams)) {
		if name == "application_name" || name == "options" {
			continue // known to poolers; only a new connection can say it
		}
		calls = append(calls, "set_config("+quoted(name)+", "+quoted(c.RuntimeParams[name])+", false)")
		delete(c.RuntimeParams, name)
	}
	if len(calls) > 0 {
		c.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
			_, err := conn.Exec(ctx, "SELECT "+strings.Join(calls, ", ")).ReadAll()
			return err
		}
	}
	return c
}

// quoted is a literal of SQL, whatever standard_conforming_strings says.
func quoted(text string) string {
	return ` E'` + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + `'`
}

// session is what two connections at one time say of the server.
type session struct {
	pid, version int
	encoding     string
	schema       sql.NullString
}

// inspect looks at the server before anything is written there, and returns the
// name of the schema. A pooler that lends the server's sessions for single
// transactions shows by giving one of them to two connections.
func inspect(ctx context.Context, db *sql.DB) (schema string, err error) {
	var seen [2]session
	for n := range seen {
		conn, err := db.Conn(ctx)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, conn.Close()) }()
		s := &seen[n]
		err = conn.QueryRowContext(ctx, `SELECT pg_backend_pid(), current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema()`,
			pgx.QueryExecModeExec). // a prepared statement would be the other connection's, too
			Scan(&s.pid, &s.version, &s.encoding, &s.schema)
		if err != nil {
			return "", fmt.Errorf("look at the server: %w", err)
		}
	}
	s := seen[1]
	switch {
	case s.pid == seen[0].pid:
		return "", errPooled
	case s.version < oldest:
		return "", fmt.Errorf("%w: version %d", errTooOld, s.version/10000)
	case s.encoding != "UTF8":
		return "", fmt.Errorf("%w but %s", errEncoding, s.encoding)
	case !s.schema.Valid:
		return "", errNoSchema
	}
	return s.schema.String, nil
}
