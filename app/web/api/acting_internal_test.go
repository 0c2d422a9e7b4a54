package api

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin/access"
)

// Whoever may only look is refused by every route that does something, before it
// reads what it is to do: those that say so of themselves, and all that are no GET
// but for those that only ask.
//
// Promise: T13.
func TestAct_everyRoute(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		c.Locals(VisitorKey, access.Visitor{Name: "vera", Role: access.Viewer})
		return c.Next()
	})
	Register(app, nil, slog.New(slog.DiscardHandler), time.Now)
	asks := map[string]bool{"POST /rules/try": true, "POST /replays/diff": true, "POST /replays/preview": true}
	walked := 0
	for _, o := range described {
		method, path, _ := strings.Cut(o.route, " ")
		switch acts := method != fiber.MethodGet && !asks[o.route]; {
		case acts != (o.acts || o.local && method != fiber.MethodGet): // what is local is for nobody from outside
			t.Errorf("%s: the description says acts: %t", o.route, o.acts)
			continue
		case !acts:
			continue
		}
		walked++
		res, err := app.Test(httptest.NewRequest(method, inBraces.ReplaceAllString(path, "x"), strings.NewReader("{}")))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != fiber.StatusForbidden {
			t.Errorf("%s: a viewer gets %d", o.route, res.StatusCode)
		}
	}
	if walked < 15 {
		t.Errorf("only %d routes that act were walked", walked)
	}
}
