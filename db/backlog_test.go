package db_test

import (
	"reflect"
	"strings"
	"testing"

	"hookgate/db"
	"hookgate/test/lab"
)

// Who asks all the time what waits does not make the database count all the time
// where much waits; where little does, each is told how it is now. Break: nothing is
// slow.
func TestBacklogs_counted(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s := mustOpen(t, p, newClock())
		c := newClock()
		count := func() map[string]db.Backlog {
			t.Helper()
			got, err := s.Backlogs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		mustAccept(t, s, c, "", "x")
		for range 3 {
			before := count()["x"].Open
			mustAccept(t, s, c, "", "x")
			if after := count()["x"].Open; after != before+1 {
				t.Fatalf("%d wait, after %d and one more", after, before)
			}
		}
		many := strings.Split(strings.Repeat("x,", 5000), ",")[:5000]
		mustAccept(t, s, c, "", many...)
		lab.Eventually(t, "a count serves twice", func() bool {
			first, second := count(), count()
			return reflect.ValueOf(first).Pointer() == reflect.ValueOf(second).Pointer()
		})
		lab.Eventually(t, "it is counted again", func() bool {
			return count()["x"].Open == 5004
		})
	})
}
