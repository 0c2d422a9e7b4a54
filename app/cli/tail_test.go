package cli_test

import (
	"net/http"
	"strings"
	"testing"
)

// A slip of the pen in --rule or --source is an error; otherwise tail would wait
// for ever.
func TestTail_unknownName(t *testing.T) {
	t.Parallel()
	const detail = `no rule in force is called \"anounce\": did you mean \"announce\"?`
	f := serveAPI(t, map[string][]answer{
		"GET /api/v1/events/stream": {{http.StatusNotFound, `{"title":"Not Found","status":404,"detail":"` + detail + `"}`}},
	})
	got := f.run(t, "events", "tail", "--rule", "anounce")
	if got.code != 5 || !strings.Contains(got.errOut, `did you mean "announce"?`) {
		t.Errorf("%+v", got)
	}
}
