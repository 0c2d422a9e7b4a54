package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
)

var inBraces = regexp.MustCompile(`\{(\w+)\}`)

// Every route is described, and every description has its route.
func TestOpenAPI_routes(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	Register(app, nil, slog.New(slog.DiscardHandler), time.Now)
	var registered, told []string
	for _, r := range app.GetRoutes(true) {
		if r.Method != fiber.MethodHead { // fiber adds them to GET
			registered = append(registered, r.Method+" "+r.Path)
		}
	}
	for _, o := range described {
		told = append(told, inBraces.ReplaceAllString(o.route, ":$1"))
	}
	slices.Sort(registered)
	slices.Sort(told)
	if diff := cmp.Diff(registered, told); diff != "" {
		t.Errorf("registered (-), described (+):\n%s", diff)
	}
}

// The parameters that are described are those that the route takes: it lists
// them to whoever writes another one.
func TestOpenAPI_parameters(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	Register(app, nil, slog.New(slog.DiscardHandler), time.Now)
	for _, o := range described {
		if o.query == nil {
			continue
		}
		method, path, _ := strings.Cut(o.route, " ")
		res, err := app.Test(httptest.NewRequest(method, inBraces.ReplaceAllString(path, "x")+"?no-such-parameter=1", nil))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		var p Problem
		if err != nil || json.Unmarshal(text, &p) != nil || res.StatusCode != fiber.StatusBadRequest {
			t.Errorf("%s: %d %s %v", o.route, res.StatusCode, text, err)
			continue
		}
		if want := "; there are " + strings.Join(o.query, ", "); !strings.HasSuffix(p.Detail, want) {
			t.Errorf("%s: the route says %q, the description %q", o.route, p.Detail, want)
		}
		for _, name := range o.query {
			if parameterDocs[name] == "" {
				t.Errorf("%s: nothing is said of the parameter %s", o.route, name)
			}
		}
	}
}
