package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestViews(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		args    []string
		request string // the only one, without the prefix of the API
		fixture string
		stderr  string
	}{
		{
			name: "events_list", args: []string{"events", "list", "--source", "sitejet", "--state", "rejected,routed", "--limit", "5"},
			request: "GET /events?limit=5&source=sitejet&state=rejected&state=routed", fixture: "events.json",
			stderr: "there are older ones: --before evt_7q2, or a larger --limit\n",
		},
		{
			name: "events_show", args: []string{"events", "show", "evt_7q2"},
			request: "GET /events/evt_7q2", fixture: "event.json",
		},
		{
			name: "deliveries_list", args: []string{"deliveries", "list", "--event", "evt_7q2", "--failed"},
			request: "GET /deliveries?event=evt_7q2&limit=50&state=failed", fixture: "deliveries.json",
		},
		{
			name: "deliveries_show", args: []string{"deliveries", "show", "dlv_7q4"},
			request: "GET /deliveries/dlv_7q4", fixture: "delivery.json",
			stderr: "its event: hookgate events show evt_7q2\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			method, target, _ := strings.Cut(tt.request, " ")
			path, _, _ := strings.Cut(target, "?")
			body := answer{status: http.StatusOK, body: fixture(t, tt.fixture)}
			f := serveAPI(t, map[string][]answer{method + " /api/v1" + path: {body, body}})
			got := f.run(t, tt.args...)
			if got.code != 0 || got.errOut != tt.stderr {
				t.Errorf("exit %d, stderr %q; want 0, %q", got.code, got.errOut, tt.stderr)
			}
			golden(t, tt.name, got.out)
			if strings.ContainsAny(got.out, "\x1b\x07") {
				t.Error("escape characters of the data reached the terminal")
			}
			if requests := f.got(); requests[0].Target != "/api/v1"+target {
				t.Errorf("asked for %s, want /api/v1%s", requests[0].Target, target)
			}

			raw := f.run(t, append(tt.args, "--json")...)
			var want, printed any
			if err := json.Unmarshal([]byte(body.body), &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(raw.out), &printed); err != nil {
				t.Fatalf("--json printed no JSON: %v\n%s", err, raw.out)
			}
			if diff := cmp.Diff(withoutEmpty(want), withoutEmpty(printed)); diff != "" {
				t.Errorf("--json (-API +printed):\n%s", diff)
			}
		})
	}
}

// withoutEmpty drops empty texts, which the API leaves out.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == "" {
				delete(v, key)
				continue
			}
			v[key] = withoutEmpty(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return v
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	f := serveAPI(t, map[string][]answer{
		"GET /api/v1/events":     {{http.StatusOK, `{"items":[]}`}},
		"GET /api/v1/deliveries": {{http.StatusOK, `{"items":[]}`}, {http.StatusOK, `{"items":[]}`}},
	})
	if got := f.run(t, "events", "list"); got.code != 0 || got.out != "" || got.errOut != "no events match\n" {
		t.Errorf("events: %+v", got)
	}
	if got := f.run(t, "deliveries", "list"); got.code != 0 || got.out != "" || got.errOut != "no deliveries match\n" {
		t.Errorf("deliveries: %+v", got)
	}
	if got := f.run(t, "deliveries", "list", "-q"); got.errOut != "" {
		t.Errorf("--quiet: %+v", got)
	}
}
