package db_test

import (
	"fmt"
	"log/slog"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// What stands between hookgate and its database is told with what can be done
// about it, and without the password.
func TestRemedy(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t) // roles and databases are a cluster's
	url := server.URL(t)
	for _, statement := range []string{
		`CREATE ROLE weak LOGIN`, `CREATE SCHEMA theirs`, `GRANT USAGE ON SCHEMA theirs TO weak`, `CREATE ROLE lone LOGIN CONNECTION LIMIT 1`,
		`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
		`CREATE DATABASE fixed`, `ALTER DATABASE fixed SET default_transaction_read_only = on`,
	} {
		pgtest.Exec(t, url, statement)
	}
	base, _, _ := strings.Cut(url, "/postgres?")
	_, address, _ := strings.Cut(base, "@")
	for name, test := range map[string]struct{ url, want string }{
		"no such database": {base + "/missing?sslmode=disable", "CREATE DATABASE"},
		"no right":         {"postgres://weak:sesame@" + address + "/postgres?sslmode=disable&search_path=theirs", "GRANT"},
		"no session left":  {"postgres://lone:sesame@" + address + "/postgres?sslmode=disable", "max_connections"},
		"read-only":        {base + "/fixed?sslmode=disable", "standby"},
		"encoding":         {base + "/latin?sslmode=disable", "ENCODING 'UTF8'"},
		"no TLS":           {base + "/postgres?sslmode=require", "sslmode=disable"},
		"no schema":        {base + "/postgres?sslmode=disable&search_path=nowhere", "CREATE SCHEMA"},
		"no such setting":  {base + "/postgres?sslmode=disable&work_memory=1", "behind the ?"},
		"nobody listens":   {fmt.Sprintf("postgres://weak:sesame@127.0.0.1:%d/postgres", lab.Port(t)), "listen_addresses"},
		"not a URL":        {"postgres://weak:sesame@" + address + "/postgres?sslmode=sometimes", "%40"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := db.OpenPostgres(t.Context(), event.NewSecret(test.url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
			if err == nil {
				t.Error("it was opened")
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			if remedy := db.Remedy(err); !strings.Contains(remedy, test.want) {
				t.Errorf("%v: %q does not name %q", err, remedy, test.want)
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("%v", err)
			}
		})
	}
}

// What the URL and hookgate want of a session is set in it, by statements: a
// pooler would refuse it at the start of the connection.
func TestOpenPostgres_settings(t *testing.T) {
	t.Parallel()
	note := `it's \ "x"`
	s := mustReplica(t, pgtest.Shared(t).URL(t)+"&application_name=me&my.note="+neturl.PathEscape(note), 0)
	var jit, readOnly, name, got string
	if err := s.Read(t.Context(), `SELECT current_setting('jit'), current_setting('default_transaction_read_only'),
		current_setting('application_name'), current_setting('my.note')`, &jit, &readOnly, &name, &got); err != nil {
		t.Fatal(err)
	}
	if jit != "off" || readOnly != "on" || name != "me" || got != note {
		t.Errorf("jit %s, read-only %s, name %s, note %s", jit, readOnly, name, got)
	}
}
