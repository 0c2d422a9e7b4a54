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
