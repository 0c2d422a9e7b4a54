package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormsForget(t *testing.T) {
	t.Parallel()
	const (
		route = "POST /api/v1/forget"
		first = `{"total":900,"examined":500,"events":2,"origins":[{"name":"contact","form":true,"events":2}],"deliveries":3,"open":1,"files":1,"bytes":9,"mentions":1,"next":"evt_7q2","record":"aud_7q0"}`
		last  = `{"examined":400,"events":1,"origins":[{"name":"contact","form":true,"events":1}],"deliveries":0,"open":0,"files":0,"mentions":0,"record":"aud_7q0"}`
		none  = `{"total":3,"examined":3,"events":0,"origins":[]}`
		dry   = `{"address":"ada@example.com","dry_run":true}`
	)
	tests := []struct {
		name    string
		args    []string
		answers []answer
		code    int
		out     string
		errOut  []string
		asked   []string
	}{
		{
			name: "--dry-run", args: []string{"ada@example.com", "--dry-run"},
			answers: []answer{{http.StatusOK, first}, {http.StatusOK, last}},
			out:     "FROM     KIND  EVENTS\ncontact  form  3\n",
			errOut: []string{
				"3 events hold this address, with 3 deliveries (1 not sent yet) and 1 file.",
				"It also stands within a longer text of 1 other event, which would stay", "Only form posts", "Nothing was deleted.",
			},
			asked: []string{dry, `{"address":"ada@example.com","dry_run":true,"after":"evt_7q2","record":"aud_7q0"}`},
		},
		{
			name: "nobody to ask", args: []string{"ada@example.com"}, code: 2,
			answers: []answer{{http.StatusOK, last}},
			out:     "FROM     KIND  EVENTS\ncontact  form  1\n", errOut: []string{"there is no terminal to ask on"},
			asked: []string{dry},
		},
		{
			name: "nothing to ask about", args: []string{"ada@example.com"}, answers: []answer{{http.StatusOK, none}, {http.StatusOK, none}},
			out: "no event holds this address\n", asked: []string{dry, `{"address":"ada@example.com"}`},
		},
		{
			name: "--yes", args: []string{"ada@example.com", "--yes", "--sources", "--mentions"},
			answers: []answer{{http.StatusOK, first}, {http.StatusOK, strings.Replace(last, `"mentions":0`, `"mentions":0,"remains":["VACUUM it"]`, 1)}},
			out:     "3 events deleted, with 3 deliveries and 1 file\n", errOut: []string{"aud_7q0", "VACUUM it\nBackups"},
			asked: []string{`{"address":"ada@example.com","sources":true,"mentions":true}`, `{"address":"ada@example.com","sources":true,"mentions":true,"after":"evt_7q2","record":"aud_7q0"}`},
		},
		{
			name: "it stops in the middle", args: []string{"ada@example.com", "--yes"}, code: 1,
			answers: []answer{{http.StatusOK, first}, {http.StatusServiceUnavailable, `{"status":503,"detail":"nothing can be stored right now"}`}},
			errOut:  []string{"nothing can be stored right now", "run the same command again to finish it"},
			asked:   []string{`{"address":"ada@example.com"}`, `{"address":"ada@example.com","after":"evt_7q2","record":"aud_7q0"}`},
		},
		{name: "no address", args: []string{"ada"}, code: 2, errOut: []string{`"ada": this is no e-mail address`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serveAPI(t, map[string][]answer{route: tt.answers})
			got := f.run(t, append([]string{"forms", "forget"}, tt.args...)...)
			if got.code != tt.code || got.out != tt.out {
				t.Errorf("exit %d, want %d; stdout (-want +got):\n%s", got.code, tt.code, cmp.Diff(tt.out, got.out))
			}
			for _, part := range tt.errOut {
				if !strings.Contains(got.errOut, part) {
					t.Errorf("stderr %q lacks %q", got.errOut, part)
				}
			}
			var asked []string
			for _, r := range f.got() {
				asked = append(asked, r.Body)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}
