package transfer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hookgate/db"
	"hookgate/db/transfer"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

func TestRun_refuses(t *testing.T) {
	t.Parallel()
	history := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "test.db")
		mustHistory(t, path, 20)
		return path
	}
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, url string) (path string)
		want    error
	}{
		"a file in use": {func(t *testing.T, _ string) string {
			path := history(t)
			newFile(t, path)
			return path
		}, db.ErrInUse},
		"no file": {func(t *testing.T, _ string) string { return filepath.Join(t.TempDir(), "none.db") }, os.ErrNotExist},
		"another file": {func(t *testing.T, _ string) string {
			path := filepath.Join(t.TempDir(), "notes.txt")
			if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, db.ErrNoHistory},
		"an empty file": {func(t *testing.T, _ string) string {
			path := filepath.Join(t.TempDir(), "empty.db")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, db.ErrNoHistory},
		"a running replica": {func(t *testing.T, url string) string {
			mustReplica(t, url)
			return history(t)
		}, db.ErrTargetInUse},
		"events of another origin": {func(t *testing.T, url string) string {
			s := mustReplica(t, url)
			mustAccept(t, s, time.Now(), "")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return history(t)
		}, db.ErrTargetFilled},
		"another file's history": {func(t *testing.T, url string) string {
			if _, err := move(t.Context(), history(t), url, nil); err != nil {
				t.Fatal(err)
			}
			return history(t)
		}, db.ErrTargetFilled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Shared(t).URL(t)
			path := tc.prepare(t, url)
			if _, err := move(t.Context(), path, url, nil); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// Whatever a table gets is moved: all columns of all tables are, but for those
// of the processes, and of browsers that are logged in.
func TestRun_columns(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	mustReplica(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name NOT IN ('meta', 'replicas', 'gates', 'sessions', 'login_links', 'goose_db_version') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, transfer.Columns()); diff != "" {
		t.Errorf("(-tables +moved)\n%s", diff)
	}
}

// Two moves at once: the second is refused, whatever file it has.
func TestRun_alone(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	path, other := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	mustHistory(t, path, 20)
	mustHistory(t, other, 20)
	var second error
	_, err := move(t.Context(), path, url, func(transfer.Progress) {
		if second == nil {
			_, second = move(t.Context(), other, url, nil)
		}
	})
	if err != nil || !errors.Is(second, db.ErrBeingMoved) {
		t.Errorf("%v, and the second: %v", err, second)
	}
}

// An empty target that was used before, without events, takes a history.
func TestRun_emptyTarget(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	mustHistory(t, path, 20)
	s := mustReplica(t, url)
	if _, err := s.SavePlan(event.RuleSet{Hash: "of the first start", Rules: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Error(err)
	}
}

// The folder for files stays the database's own, and forms that visitors have
// open stay good, also where the target was started before and made a key.
func TestRun_facts(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	s, _ := newFile(t, path)
	key, err := s.FormKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetFilesFolder(7), s.Close()); err != nil {
		t.Fatal(err)
	}
	before := mustReplica(t, url)
	if _, err := before.FormKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	r := mustReplica(t, url)
	if got, err := r.FormKey(t.Context()); err != nil || !slices.Equal(got, key) {
		t.Errorf("the key is %x, %v, want that of the file, %x", got, err, key)
	}
	if n, err := r.FilesFolder(t.Context()); n != 7 || err != nil {
		t.Errorf("folder %d, %v", n, err)
	}
}
