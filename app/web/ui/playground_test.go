package ui

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"hookgate/app/admin"
)

// What was typed for a rule that is gone is told, also where the rule that is shown in its
// place has a text of the same name; of a rule that is still there, what has no field.
//
// Negative control: findHomeless that looks for the name alone, and one that tells of all
// texts.
func TestFindHomeless(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	for edited, want := range map[string][]string{
		"first": {"when", "text-billing-0-json", "text-slack-0-text", "answers"},
		"other": {"text-slack-0-text"},
	} {
		var request fasthttp.RequestCtx
		request.Request.SetRequestURI("/ui/playground?when=true&text-billing-0-json=a&text-slack-0-text=b&at=&answers=x%3D1&limit=200")
		c := app.AcquireCtx(&request)
		p := playgroundPage{Rule: &admin.RuleSettings{Name: "other"}, Texts: []triedText{{Key: "text-billing-0-json"}}}
		p.findHomeless(c, edited)
		app.ReleaseCtx(c)
		var got []string
		for _, h := range p.Homeless {
			got = append(got, h.Key)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("typed for %s: %s", edited, d)
		}
	}
}
