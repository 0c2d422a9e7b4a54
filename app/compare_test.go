package app_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/connectors/all"
	"hookgate/db"
	"hookgate/internal/event"
)

// agency is a configuration of some rules over website_status_changed; done is
// the status that the first of them waits for.
func agency(done string, more int) string {
	var b strings.Builder
	b.WriteString(`version: 1
sources:
  site: { type: sitejet, token: 0123456789abcdef0123 }
connections:
  billing: { type: webhook, url: "https://billing.example/x" }
rules:
  - name: activate
    from: site
    events: [website_status_changed]
    when: data.website.status == "` + done + `"
    then: [{ to: billing, ordering_key: data.website.id, json: { id: "${{ data.website.id }}", was: "${{ data.previousStatus }}" } }]
  - name: announce
    from: site
    when: data.website.status in ["Assign", "Done"]
    then: [{ to: billing, json: { text: "*${{ data.website.title }}* is ${{ data.website.status }}" } }]
`)
	for n := range more {
		fmt.Fprintf(&b, "  - { name: more-%d, from: site, when: 'data.website.id == %d', then: [{ to: billing, json: { n: %d } }] }\n", n, -n-1, n)
	}
	return b.String()
}

// mustFill stores n events with statuses in turn and returns the ids by status.
func mustFill(t testing.TB, path string, version event.RuleSet, n int) map[string][]event.ID {
	t.Helper()
	store, err := db.Open(t.Context(), path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	plan, err := store.SavePlan(version)
	if err != nil {
		t.Fatal(err)
	}
	statuses := []string{"Preparation", "Assign", "Publish", "Done", "Interest", "Archive", "Idle"}
	ids := map[string][]event.ID{}
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				status := statuses[i%int64(len(statuses))]
				text := fmt.Sprintf(`{"event":"website_status_changed","previousStatus":"Publish","website":{"id":%d,"title":"Website %d","status":%q,
					"serviced_by":{"name":"John Doe","email":"john@agency.example"},"domains":[{"name":"www.example%d.com"}],"note":%q}}`,
					i, i, status, i, strings.Repeat("lorem ipsum ", 60))
				e := event.Event{
					ID: store.NewIDs(1), Source: "site", Type: "website_status_changed", ReceivedAt: time.Now(), State: event.NoMatch, Plan: plan,
					Results: []byte(strings.Repeat("n", len(version.Rules))), Body: []byte(text),
				}
				if _, err := store.Accept(&e, nil); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				ids[status] = append(ids[status], e.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, list := range ids {
		slices.Sort(list)
	}
	return ids
}

// compareAll adds up the parts of a comparison.
func compareAll(t testing.TB, past *app.Past, r admin.CompareRequest) admin.Comparison {
	t.Helper()
	var all admin.Comparison
	for {
		part, err := past.Compare(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if r.After == nil {
			all = part
		} else {
			all.Read += part.Read
			all.Merge(&part.Report, r.Limit)
		}
		if r.After = part.Next; part.Next == nil {
			return all
		}
	}
}

// A status that is renamed in one rule: of 10,000 stored events exactly those
// change that had the old status or have the new one.
func TestCompare_renamedStatus(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	now, err := loadText(t, agency("Done", 0)).RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	then, err := loadText(t, agency("Archive", 0)).RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	ids := mustFill(t, path, now, 10_000)
	past, err := app.OpenPast(t.Context(), config.Storage{Path: path}, all.Catalog(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = past.Close() }()
	found := compareAll(t, past, admin.CompareRequest{Then: then.Source, Limit: 10_000})
	var got []event.ID
	for _, e := range found.Events {
		want := "added"
		if _, was := slices.BinarySearch(ids["Done"], e.ID); was {
			want = "removed"
		}
		if len(e.Routes) != 1 || e.Routes[0].Route != "activate/billing" || e.Routes[0].Change != want {
			t.Fatalf("%s: %+v, want activate/billing %s", e.ID, e.Routes, want)
		}
		got = append(got, e.ID)
	}
	want := slices.Concat(ids["Done"], ids["Archive"])
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the events that change (-want +got)\n%s", diff)
	}
	activate := found.Rules[0]
	if found.Examined != 10_000 || found.Total != 10_000 || activate.More != len(ids["Archive"]) || activate.Fewer != len(ids["Done"]) || found.Rules[1].More+found.Rules[1].Fewer+found.Rules[1].Outputs != 0 {
		t.Errorf("%d of %d examined, %+v", found.Examined, found.Total, found.Rules)
	}
	few := compareAll(t, past, admin.CompareRequest{Then: then.Source, Limit: 3, EventSelection: admin.EventSelection{Where: `data.website.status != "Done"`}})
	if few.Changed != len(ids["Archive"]) || len(few.Events) != 3 || few.Events[0].ID != ids["Archive"][0] || few.Events[2].ID != ids["Archive"][2] {
		t.Errorf("with a condition: %d changed, %+v, want the first three of %d", few.Changed, few.Events, len(ids["Archive"]))
	}
	if same := compareAll(t, past, admin.CompareRequest{Limit: 3}); same.Changed != 0 || len(same.Events) != 0 {
		t.Errorf("with themselves the rules differ for %d events", same.Changed)
	}
}

// BenchmarkCompare puts 100,000 stored events through two versions of 20 rules.
func BenchmarkCompare(b *testing.B) {
	const n = 100_000
	path := filepath.Join(b.TempDir(), "test.db")
	now, err := loadText(b, agency("Done", 18)).RuleSet()
	if err != nil {
		b.Fatal(err)
	}
	then, err := loadText(b, agency("Archive", 18)).RuleSet()
	if err != nil {
		b.Fatal(err)
	}
	mustFill(b, path, now, n)
	past, err := app.OpenPast(b.Context(), config.Storage{Path: path}, all.Catalog(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = past.Close() }()
	for b.Loop() {
		if found := compareAll(b, past, admin.CompareRequest{Then: then.Source, Limit: 20}); found.Examined != n {
			b.Fatalf("examined %d", found.Examined)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
