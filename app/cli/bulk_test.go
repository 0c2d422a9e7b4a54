package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBulk(t *testing.T) {
	t.Parallel()
	const found = `{"count":412,"keyed":161,"keys":40}`
	const sentence = "412 failed deliveries to billing match, 161 of them under 40 ordering keys."
	tests := []struct {
		name     string
		args     []string
		answers  map[string][]answer
		code     int
		out      string
		errOut   string // a part of it
		requests []request
	}{
		{
			name: "with --yes nothing is asked",
			args: []string{"deliveries", "retry", "--failed", "--connection", "billing", "--yes"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, found}},
			},
			out: "412 deliveries: sending again\n",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"failed","connection":"billing"}`},
			},
		},
		{
			name: "a filter alone means the failed ones",
			args: []string{"deliveries", "retry", "--rule", "announce", "--yes", "--json"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, `{"count":1}`}},
			},
			out: "{\n  \"count\": 1\n}\n",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"failed","rule":"announce"}`},
			},
		},
		{
			name: "without a terminal and --yes it only counts",
			args: []string{"deliveries", "retry", "--failed", "--connection", "billing"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, found}},
			},
			code: 2, errOut: sentence + "\nhookgate: there is no terminal to ask on: add --yes",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"failed","connection":"billing","dry_run":true}`},
			},
		},
		{
			name: "nothing matches",
			args: []string{"deliveries", "cancel", "--state", "waiting"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/cancel": {{http.StatusOK, `{"count":0}`}},
			},
			errOut: "0 waiting deliveries match.",
			requests: []request{
				{"POST", "/api/v1/deliveries/cancel", "application/json", `{"state":"waiting","dry_run":true}`},
			},
		},
		{
			name: "nothing matches, with --yes",
			args: []string{"deliveries", "retry", "--failed", "--connection", "biling", "--yes"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, `{"count":0}`}, {http.StatusOK, `{"count":3}`}},
			},
			errOut: "0 failed deliveries to biling match.\n3 deliveries wait for the next attempt (retrying): --state retrying sends at once",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"failed","connection":"biling"}`},
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"retrying","connection":"biling","dry_run":true}`},
			},
		},
		{
			name: "--dry-run lists them",
			args: []string{"deliveries", "retry", "--failed", "--connection", "billing", "--dry-run"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, found}},
				"GET /api/v1/deliveries":        {{http.StatusOK, fixture(t, "deliveries.json")}},
			},
			out:    fixture(t, "deliveries_list.golden"),
			errOut: sentence + " Nothing was changed.",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"state":"failed","connection":"billing","dry_run":true}`},
				{"GET", "/api/v1/deliveries?connection=billing&limit=412&rendered=true&state=failed", "", ""},
			},
		},
		{
			name: "ids are not asked about",
			args: []string{"deliveries", "retry", "dlv_7q4", "dlv_7q5"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/retry": {{http.StatusOK, `{"count":1}`}},
			},
			code: 1, out: "1 delivery: sending again\n", errOut: "1 delivery left as it was",
			requests: []request{
				{"POST", "/api/v1/deliveries/retry", "application/json", `{"ids":["dlv_7q4","dlv_7q5"]}`},
			},
		},
		{
			name: "of one event",
			args: []string{"deliveries", "cancel", "--event", "evt_7q2", "--yes"},
			answers: map[string][]answer{
				"POST /api/v1/deliveries/cancel": {{http.StatusOK, `{"count":2}`}},
			},
			out: "2 deliveries: cancelled\n",
			requests: []request{
				{"POST", "/api/v1/deliveries/cancel", "application/json", `{"state":"retrying","event":"evt_7q2"}`},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serveAPI(t, tt.answers)
			got := f.run(t, tt.args...)
			if got.code != tt.code || got.out != tt.out {
				t.Errorf("exit %d, want %d; stdout (-want +got):\n%s", got.code, tt.code, cmp.Diff(tt.out, got.out))
			}
			if !strings.Contains(got.errOut, tt.errOut) {
				t.Errorf("stderr %q, want %q in it", got.errOut, tt.errOut)
			}
			if diff := cmp.Diff(tt.requests, f.got()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	const accepted = `{"id":"evt_7q2"}`
	tests := []struct {
		name, stdin string
		args        []string
		want        request
	}{
		{
			name: "as it is", stdin: `{"b": 1.50, "a": 9007199254740993}`,
			want: request{ContentType: "application/json", Body: `{"b": 1.50, "a": 9007199254740993}`},
		},
		{
			name: "--set changes no other value and no order", stdin: `{"b": 1.50, "a": 9007199254740993, "website": {"status": "Publish"}}`,
			args: []string{"--set", "website.status=Done", "--set", "website.id=7", "--set", `website.tags=["x"]`, "--set", "new.deep=a=b"},
			want: request{
				ContentType: "application/json",
				Body:        `{"b": 1.50, "a": 9007199254740993, "website": {"status": "Done","id":7,"tags":["x"]},"new":{"deep":"a=b"}}`,
			},
		},
		{
			name: "--set in a list", stdin: `{"items":[{"n":1},{"n":2}]}`, args: []string{"--set", "items.1.n=3", "--set", "items.2=null"},
			want: request{ContentType: "application/json", Body: `{"items":[{"n":1},{"n":3},null]}`},
		},
		{
			name: "another type", stdin: "a=1", args: []string{"--content-type", "application/x-www-form-urlencoded"},
			want: request{ContentType: "application/x-www-form-urlencoded", Body: "a=1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serveAPI(t, map[string][]answer{"POST /api/v1/events/send": {{http.StatusAccepted, accepted}}})
			args := append([]string{"-c", f.config, "events", "send", "shop", "-"}, tt.args...)
			got := runWith(t, tt.stdin, args...)
			if got.code != 0 || got.out != "evt_7q2\n" {
				t.Errorf("got %+v", got)
			}
			tt.want.Method, tt.want.Target = "POST", "/api/v1/events/send?source=shop"
			if diff := cmp.Diff([]request{tt.want}, f.got()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSend_rejected(t *testing.T) {
	t.Parallel()
	f := serveAPI(t, map[string][]answer{"POST /api/v1/events/send": {{
		http.StatusBadRequest,
		`{"title":"Bad Request","status":400,"detail":"invalid JSON at line 1, column 2: a name is missing","id":"evt_7q4","line":1,"column":2}`,
	}}})
	got := runWith(t, "{", "-c", f.config, "events", "send", "shop", "-")
	want := "hookgate: invalid JSON at line 1, column 2: a name is missing\n  kept; hookgate events show evt_7q4\n"
	if got.code != 1 || got.out != "" || got.errOut != want {
		t.Errorf("got %+v, want exit 1 and %q", got, want)
	}
}
