package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// page is what the server answers with n records, numbered down from first.
func page(t *testing.T, kind string, first, n int, next string) answer {
	t.Helper()
	items := make([]map[string]any, n)
	for i := range items {
		items[i] = map[string]any{"id": fmt.Sprintf("%s_%d", kind, first-i), "state": "no_match"}
	}
	text, err := json.Marshal(map[string]any{"items": items, "next": next})
	if err != nil {
		t.Fatal(err)
	}
	return answer{http.StatusOK, string(text)}
}

// The server gives 500 records at once; --limit means as many as it says.
func TestLists_longerThanAPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, kind string }{{"events", "evt"}, {"deliveries", "dlv"}} {
		path := "/api/v1/" + c.command
		f := serveAPI(t, map[string][]answer{"GET " + path: {
			page(t, c.kind, 2000, 500, c.kind+"_1501"), page(t, c.kind, 1500, 100, c.kind+"_1401"),
		}})
		got := f.run(t, c.command, "list", "--limit", "600")
		if lines := strings.Count(got.out, c.kind+"_"); got.code != 0 || lines != 600 {
			t.Errorf("%s: exit %d, %d records, want 600; %s", c.command, got.code, lines, got.errOut)
		}
		if !strings.Contains(got.errOut, "--before "+c.kind+"_1401") {
			t.Errorf("%s: stderr %q does not say how to go on", c.command, got.errOut)
		}
		want := []request{
			{Method: "GET", Target: path + "?limit=500"},
			{Method: "GET", Target: path + "?before=" + c.kind + "_1501&limit=100"},
		}
		if diff := cmp.Diff(want, f.got()); diff != "" {
			t.Errorf("%s: requests (-want +got):\n%s", c.command, diff)
		}
	}
}

// A search goes on behind what one request looks into, though nothing was found,
// until there is enough or the history ends; it says how much was looked into. To
// end with an empty page breaks it.
func TestEventsList_searchGoesOn(t *testing.T) {
	t.Parallel()
	part := func(found, next string, stopped bool) answer {
		return answer{http.StatusOK, fmt.Sprintf(`{"items":[%s],"next":%q,"search":{"examined":20000,"stopped":%t}}`, found, next, stopped)}
	}
	f := serveAPI(t, map[string][]answer{"GET /api/v1/events": {
		part("", "evt_3", true), part(`{"id":"evt_2","state":"no_match"}`, "evt_2", true), part("", "", false),
	}})
	got := f.run(t, "events", "list", "--text", "Harry", "--json")
	var page struct {
		Items  []struct{ ID string }
		Next   string
		Search struct{ Examined int }
	}
	if err := json.Unmarshal([]byte(got.out), &page); err != nil || got.code != 0 || len(page.Items) != 1 || page.Search.Examined != 60_000 || page.Next != "" {
		t.Errorf("%+v, %v, exit %d, %s", page, err, got.code, got.errOut)
	}
	want := []request{
		{Method: "GET", Target: "/api/v1/events?limit=50&text=Harry"},
		{Method: "GET", Target: "/api/v1/events?before=evt_3&limit=50&text=Harry"},
		{Method: "GET", Target: "/api/v1/events?before=evt_2&limit=49&text=Harry"},
	}
	if diff := cmp.Diff(want, f.got()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
