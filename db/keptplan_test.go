package db_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// The plans of a batch are kept from the first one on, made for empty tables:
// they must go by the primary key then already. Each of the batches below is a
// commit of its own. It fails where enable_seqscan is left on: a table that
// small is read from end to end in each commit, and is for ever after.
func TestPostgres_keptPlans(t *testing.T) {
	t.Parallel()
	const batches = 60
	for name, key := range map[string]string{"without keys": "", "with keys": "k"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Shared(t).URL(t)
			store, c := newStore(t, place{url: url})
			for range batches {
				_, deliveries := mustAccept(t, store, c, key, "crm", "billing")
				for i := range deliveries {
					mustRecord(t, store, c, &deliveries[i], event.Outcome{State: event.Delivered}, "")
				}
			}
			if err := store.Close(); err != nil { // which reports the session's counters
				t.Fatal(err)
			}
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			var updated, scans int64
			for deadline := time.Now().Add(30 * time.Second); updated < 2*batches && time.Now().Before(deadline); {
				err := conn.QueryRow(t.Context(), `SELECT n_tup_upd, seq_scan FROM pg_stat_user_tables WHERE relname = 'deliveries' AND schemaname = current_schema()`).Scan(&updated, &scans)
				if err != nil {
					t.Fatal(err)
				}
			}
			// Registering and leaving may read the table from end to end.
			if updated < 2*batches || scans > batches/4 {
				t.Errorf("%d updates, the table was read %d times from end to end", updated, scans)
			}
		})
	}
}
