package db_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

func TestOpenPostgres_refuses(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for _, url := range []string{"postgres://u:" + canary + "@host:port/db", "postgres://u:" + canary + "@127.0.0.1:1/db?connect_timeout=1", "mysql://" + canary} {
		_, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v, want an error without the password", err)
		}
	}
	server := pgtest.Shared(t)
	url := server.URL(t)
	if err := mustReplica(t, url, 0).Close(); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "INSERT INTO "+url[strings.LastIndex(url, "=")+1:]+".goose_db_version (version_id, is_applied) VALUES (99, true)")
	_, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if !errors.Is(err, db.ErrNewer) {
		t.Errorf("newer tables: got %v, want ErrNewer", err)
	}
}

func TestText_thatPostgresCannotHold(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		const bad = "a\x00b\xffc"
		_, first := mustAccept(t, s, c, bad, "x")
		_, second := mustAccept(t, s, c, bad, "x")
		next := mustRecord(t, s, c, &first[0], event.Outcome{State: event.Failed}, bad)
		if next == nil || next.ID != second[0].ID {
			t.Errorf("after the key's first: next is %+v, want the second", next)
		}
		if _, err := s.Events(t.Context(), event.Filter{Source: bad}); err != nil {
			t.Error(err)
		}
	})
}
