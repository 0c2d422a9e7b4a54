package cli_test

import (
	"net/http"
	"strings"
	"testing"
)

// A slip of the pen in --rule is told; otherwise tail would wait for ever.
func TestTail_unknownRule(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"anounce":  `no rule in force is called "anounce": did you mean "announce"?`,
		"announce": "",
	} {
		f := serveAPI(t, map[string][]answer{
			"GET /api/v1/connections":   {ok(`{"items":[{"name":"slack","rules":["announce"]}]}`)},
			"GET /api/v1/events/stream": {{http.StatusServiceUnavailable, `{"title":"Service Unavailable","status":503,"detail":"that is all"}`}},
		})
		got := f.run(t, "events", "tail", "--rule", rule)
		if got.code != 1 || !strings.Contains(got.errOut, "that is all") {
			t.Errorf("%s: %+v", rule, got)
		}
		if told := strings.Contains(got.errOut, "no rule in force"); told != (want != "") || !strings.Contains(got.errOut, want) {
			t.Errorf("%s: %s, want %q", rule, got.errOut, want)
		}
	}
}
