package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
)

// A record is kept under its number and is written again as the work goes on;
// the last come first, those of other actions are not among them.
func TestAudit(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s := mustOpenWall(t, p)
		record := func(id event.AuditID, action, detail string) event.Audit {
			a := event.Audit{ID: id, Action: action, Detail: []byte(detail)}
			if err := s.Audit(a); err != nil {
				t.Fatal(err)
			}
			return a
		}
		at := event.AuditID(s.NewIDs(20)) // numbers as they are, which no int4 holds
		record(at+7, event.EraseAction, `{"done":false}`)
		record(at+9, "other", `{}`)
		last := record(at+12, event.EraseAction, `{"events":1}`)
		first := record(at+7, event.EraseAction, `{"done":true}`)
		for _, c := range []struct {
			from  event.AuditID
			limit int
			want  []event.Audit
		}{
			{0, 10, []event.Audit{last, first}},
			{0, 1, []event.Audit{last}},
			{at + 11, 1, []event.Audit{first}},
			{at + 7, 1, []event.Audit{first}},
			{at + 6, 1, nil},
		} {
			got, err := s.Audits(t.Context(), event.EraseAction, c.from, c.limit)
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("from %d: %v (-want +got):\n%s", c.from, err, diff)
			}
		}
	})
}
