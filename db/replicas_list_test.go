package db_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// Replicas whose settings differ, as during a roll-out: each is given the time
// that it was promised.
func TestReplicas_leasesDiffer(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	long := mustReplica(t, url, time.Hour)
	id := long.NewIDs(2)
	e := event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed}
	if _, err := long.Accept(&e, []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Connection: "x", Rule: "r", Action: 1, Output: json.RawMessage(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	claimed, _, err := long.Claim("x", time.Now().Add(time.Second), 1, 1<<20)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	// It was last heard a quarter of an hour ago.
	pgtest.Exec(t, url, `UPDATE replicas SET heartbeat = heartbeat - 900000000`)
	short := mustReplica(t, url, time.Second)
	lab.Stays(t, time.Second, "the one with the long lease keeps what it holds", func() bool {
		got, _, err := short.Claim("x", time.Now().Add(time.Second), 1, 1<<20)
		return err == nil && len(got) == 0
	})
	lab.Eventually(t, "it is taken over", func() bool {
		pgtest.Exec(t, url, `UPDATE replicas SET heartbeat = heartbeat - 4500000000 WHERE lease = 3600000000`) // it may beat meanwhile
		got, _, err := short.Claim("x", time.Now().Add(time.Second), 1, 1<<20)
		return err == nil && len(got) == 1
	})
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	a, b := mustReplica(t, url, time.Minute), mustReplica(t, url, time.Minute)
	mustAccept(t, a, wall(), "", "x", "x", "y")
	list, shared, err := b.Replicas(t.Context())
	if err != nil || !shared || len(list) != 2 {
		t.Fatalf("%+v, %v, %v", list, shared, err)
	}
	for i, r := range list {
		if r.Name != t.Name() || !r.Alive || r.Self != (i == 1) || r.Left <= 0 || r.Left > time.Minute || time.Since(r.Heard) > time.Minute || r.Started.After(r.Heard) {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(map[string]int{"x": 2, "y": 1}, list[0].Holds); diff != "" || len(list[1].Holds) > 0 {
		t.Errorf("holds %v and %v", list[0].Holds, list[1].Holds)
	}
	mustExec(t, url, fmt.Sprintf(`UPDATE replicas SET dead = true WHERE id = %d`, list[0].ID))
	list, _, err = b.Replicas(t.Context())
	if err != nil || len(list) > 2 || len(list) == 2 && list[0].Alive { // as long as it holds something
		t.Errorf("%+v, %v", list, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReplicas_alone(t *testing.T) {
	t.Parallel()
	s, c := newStore(t, place{path: filepath.Join(t.TempDir(), "test.db")})
	mustAccept(t, s, c, "", "x")
	list, shared, err := s.Replicas(t.Context())
	if err != nil || shared || len(list) != 1 || !list[0].Self || list[0].Holds["x"] != 1 {
		t.Errorf("%+v, %v, %v", list, shared, err)
	}
}
