package ui

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// Whoever may only look is refused by every route that does something: the table of
// routes is walked, so that a new one cannot be forgotten. Logging in and out is for
// everybody.
//
// Promise: T13.
func TestActing_everyRoute(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	New(Config{}).Register(app, func(c *fiber.Ctx) error { return c.Next() })
	free := []string{prefix + "/login", prefix + "/logout", prefix + "/logout/everywhere"}
	walked := 0
	for _, r := range app.GetRoutes(true) {
		if r.Method == fiber.MethodGet || r.Method == fiber.MethodHead || slices.Contains(free, r.Path) {
			continue
		}
		walked++
		guarded := slices.IndexFunc(r.Handlers, func(h fiber.Handler) bool {
			return strings.HasSuffix(runtime.FuncForPC(reflect.ValueOf(h).Pointer()).Name(), ".(*UI).acting-fm")
		})
		if guarded != 0 {
			t.Errorf("%s %s: a viewer is not refused before it is done", r.Method, r.Path)
		}
	}
	if walked < 10 {
		t.Errorf("only %d routes that act were found", walked)
	}
}
