package egress_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"hookgate/internal/egress"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.example/v1?x=1":  "",
		"http://localhost:8080":       "",
		"http://[::1]:80/x":           "",
		"HTTPS://API.EXAMPLE":         "",
		"https://bücher.example/x":    "",
		"https://h.example/#part":     "",
		"":                            "it has no scheme",
		"api.example/v1":              "it has no scheme",
		"//api.example":               "it has no scheme",
		"ftp://api.example":           "its scheme is neither https nor http",
		"file:///etc/passwd":          "its scheme is neither https nor http",
		"javascript:alert(1)":         "its scheme is neither https nor http",
		"https://user@api.example":    "it holds a user or password",
		"https://user:pw@api.example": "it holds a user or password",
		"https://:pw@api.example":     "it holds a user or password",
		"https://":                    "it has no host",
		"https:///path":               "it has no host",
		"https://:443/":               "it has no host",
		"https:api.example":           "it has no host",
		"https://h.example:0/":        "its port is not between 1 and 65535",
		"https://h.example:65536/":    "its port is not between 1 and 65535",
		"https://h.example:x/":        "it cannot be parsed as a URL",
		"https://h example/":          "it cannot be parsed as a URL",
		"https://h.example/\r\nX: y":  "it cannot be parsed as a URL",
		"https://[::1":                "it cannot be parsed as a URL",
		"https://h.example/%zz":       "it cannot be parsed as a URL",
	} {
		u, err := egress.CheckURL(raw)
		if want == "" {
			if err != nil || u.Fragment != "" {
				t.Errorf("%q: got %v, %v", raw, u, err)
			}
			continue
		}
		if !errors.Is(err, egress.ErrBadURL) || err.Error() != want {
			t.Errorf("%q: got %v, want %q", raw, err, want)
		}
	}
}

// Whatever passes can be sent to, and no error repeats the URL.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"https://api.example/v1?x=1", "http://u:p@h/", "http://0x7f.1/", "http://[::ffff:7f00:1]:80", "https://h:99999", "http:\\\\h", "http://h/%2e%2e", "http://%31%32%37.0.0.1/", "http://①②⑦.⓪.⓪.①/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := egress.CheckURL(raw)
		if err != nil {
			if len(raw) > 40 && strings.Contains(err.Error(), raw) {
				t.Errorf("the error holds the URL: %v", err)
			}
			return
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q passed as %v", raw, u)
		}
		if _, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.String(), http.NoBody); err != nil {
			t.Errorf("%q passed, but no request can be made: %v", raw, err)
		}
	})
}
