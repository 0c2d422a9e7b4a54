package lang_test

import (
	"strings"
	"testing"
	"time"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func TestFileURL(t *testing.T) {
	t.Parallel()
	const data = `{"brief":{"id":"fil_a","name":"a.pdf"},"photos":[{"id":"fil_b"},{"id":"fil_c"}],"name":"Ada","object":{"x":1}}`
	at := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	for code, want := range map[string]string{
		`file_url(data.brief)`:                            "fil_a 2026-03-10 720h0m0s",
		`file_url(data.brief, "7d")`:                      "fil_a 2026-03-10 168h0m0s",
		`join(map(data.photos, file_url(#, "1h")), ", ")`: "fil_b 2026-03-10 1h0m0s, fil_c 2026-03-10 1h0m0s",
		`file_url(data.missing) ?? "none"`:                "none",
		`file_url(data.photos)`:                           "error: write map(…, file_url(#))",
		`file_url(data.name)`:                             "error: needs a file of a form",
		`file_url(data.object)`:                           "error: needs a file of a form",
		`file_url(data.brief, "soon")`:                    "error: needs a duration",
		`file_url(data.brief, "1000d")`:                   "error: needs a duration",
		`file_url(data.brief, 7)`:                         "error: needs a text",
		`file_url()`:                                      "error: needs a file",
	} {
		c := lang.NewCompiler()
		e, list := c.Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if len(c.FileURLs("code", "", "message")) != 1 {
			t.Errorf("%s: the call is not noted", code)
		}
		c.SetLinks(func(id string, event time.Time, good time.Duration) string {
			return id + " " + event.Format(time.DateOnly) + " " + good.String()
		})
		doc, err := jsondoc.Parse([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		sc := lang.NewScope(doc, lang.Meta{Time: at}, nil, nil)
		got, err := e.Text(sc)
		sc.Release()
		doc.Release()
		if message, fails := strings.CutPrefix(want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: got %q, %v, want the error %s", code, got, err, message)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", code, got, err, want)
		}
	}
}
