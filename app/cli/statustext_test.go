package cli

import (
	"testing"

	"hookgate/app/admin"
)

// The words of a mail server are not given HTTP's names.
func TestStatusText(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]admin.Attempt{
		"200 OK":                  {Status: 200},
		"250":                     {Status: 250},
		"503 Service Unavailable": {Status: 503, Error: "503 Service Unavailable: upstream"},
		"403 Forbidden":           {Status: 403, Error: "Slack says invalid_token"},
		"421":                     {Status: 421, Error: "421 4.3.2 try later"},
		"451":                     {Status: 451, Error: "451 4.7.1 greylisted (recipient ada@example.com)"},
	} {
		if got := statusText(&a); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}
