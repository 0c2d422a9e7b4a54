package app_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/test/journal"
)

// What somebody does who has a name is in the log under that name. Break: leave "by"
// out of the line of any of them, or lose the context on the way.
func TestAudit_names(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }))
	t.Cleanup(receiver.Close)
	text := strings.Replace(document("127.0.0.1:0", receiver.URL, "x"), "server: { ", "server: { admin: { user: ada, password: correct horse battery }, ", 1)
	loaded, report, err := app.Load(mustWrite(t, text))
	if err != nil {
		t.Fatal(report.List)
	}
	log := &journal.Journal{}
	a := mustRunLoaded(t, loaded, slog.New(slog.NewJSONHandler(log, nil)), time.Now)
	if status := post(t, a, `{"n":1}`); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	for _, c := range []struct{ path, body, audit string }{
		{"reload", ``, "configuration reloaded"},
		{"connections/sink/test", `{"confirm":true}`, "connection tested"},
		{"deliveries/retry", `{"state":"failed","render":true}`, "deliveries rendered again"},
		{"deliveries/retry", `{"state":"failed"}`, "deliveries retried"},
		{"deliveries/cancel", `{"connection":"sink"}`, "deliveries cancelled"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Addr()+"/api/v1/"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("ada", "correct horse battery")
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %d", c.path, c.body, res.StatusCode)
		}
		if by := whoDid(t, log, c.audit); by != "ada" {
			t.Errorf("%s, by %q", c.audit, by)
		}
	}
}

// whoDid is who is named in the line of an act; it fails where there is none.
func whoDid(t *testing.T, log fmt.Stringer, act string) string {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		var entry struct{ Audit, By string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Audit == act {
			return entry.By
		}
	}
	t.Errorf("the log has no line of %q:\n%s", act, log)
	return ""
}
