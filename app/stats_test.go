package app_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/db"
	"hookgate/internal/event"
)

// What was counted is there again after a restart, in the slots of its time; a
// source that is silent when it never was is told of, and one that is silent as
// ever is not.
func TestStatistics(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(document("127.0.0.1:0", url, `${{ data.text }}`)), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 10, 10, 42, 0, 0, time.UTC)
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	store, err := db.Open(t.Context(), loaded.Config.Storage.Path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	var past []event.TrafficCount
	at := func(source string, ago time.Duration, n int) {
		past = append(past, event.TrafficCount{Of: event.FromSource, Name: source, Slot: event.HealthSlotAt(now.Add(-ago)), Result: string(event.Routed), Count: n})
	}
	const week = 7 * 24 * time.Hour
	for n := range 4 {
		at("s", time.Duration(n+1)*week+time.Hour, 7+n) // 09:42
	}
	at("s", 3*time.Hour, 2) // the last, at 07:42
	if err := store.AddTraffic(past); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	a := startAt(t, path, func() time.Time { return now })
	s := a.Operators()
	quiet, err := s.QuietSources(t.Context())
	if err != nil || len(quiet) != 1 || quiet[0].Source != "s" || !quiet[0].Since.Equal(time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)) || len(quiet[0].Usual) != 4 || quiet[0].Usual[0] != 7 {
		t.Errorf("quiet: got %+v, %v", quiet, err)
	}
	for range 3 {
		if code := post(t, a, `{"text":"x"}`); code != http.StatusAccepted {
			t.Fatalf("post: %d", code)
		}
		await(t, got, `{"is":"x","n":null}`)
	}
	if quiet, err := s.QuietSources(t.Context()); err != nil || len(quiet) != 0 {
		t.Errorf("after an event: quiet %+v, %v", quiet, err)
	}
	for name, want := range map[string]struct{ slots, step, events, first int }{
		"1h": {12, 300, 3, 0}, "24h": {144, 600, 5, 0}, "": {144, 600, 5, 0}, "7d": {168, 3600, 5, 0}, "30d": {120, 21600, 5 + 7 + 8 + 9 + 10, 0},
	} {
		stats, err := s.Statistics(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		for _, slot := range stats.Slots {
			events += slot.Events
		}
		if len(stats.Slots) != want.slots || stats.StepSeconds != want.step || events != want.events {
			t.Errorf("%q: got %d slots of %d s with %d events, want %d of %d with %d", name, len(stats.Slots), stats.StepSeconds, events, want.slots, want.step, want.events)
		}
		if last := stats.Slots[len(stats.Slots)-1]; last.At.After(now) || now.Sub(last.At) >= time.Duration(want.step)*time.Second || last.Received["routed"] < 3 {
			t.Errorf("%q: the last slot is %+v", name, last)
		}
	}
	if _, err := s.Statistics(t.Context(), "2y"); err == nil {
		t.Error("statistics of 2y are not refused")
	}
	page, err := s.Connections(t.Context())
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	if strip := page.Items[0].HalfHours; len(strip) != 48 || strip[47].Attempts == 0 {
		t.Errorf("the connection's half hours: %+v", strip)
	}
}
