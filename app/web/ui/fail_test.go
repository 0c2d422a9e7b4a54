package ui

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// What goes wrong inside is in the log alone; the page says that nothing is lost, in the
// visitor's language, and leads back to the same address, or to where he acted.
//
// Negative control: fail without a line in the log, fail with the error as its title, and
// here that takes the address of an act for a page.
func TestFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, lang, title, again string }{
		"a page":           {"GET", "en", "This does not work just now", "/ui/events?q=state%3aspam"},
		"a page in German": {"GET", "de", "Das geht gerade nicht", "/ui/events?q=state%3aspam"},
		"an act":           {"POST", "en", "This does not work just now", "/ui/connections?a=1"},
	} {
		var log bytes.Buffer
		u := New(Config{Settings: func() Settings { return Settings{} }, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		app := fiber.New()
		app.All("/ui/events", func(c *fiber.Ctx) error { return u.fail(c, errors.New("the disk is on fire")) })
		r := httptest.NewRequest(c.method, "/ui/events?q=state%3aspam", nil)
		r.Header.Set("Accept-Language", c.lang)
		r.Header.Set("Referer", "http://"+r.Host+"/ui/connections?a=1")
		res, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != fiber.StatusServiceUnavailable {
			t.Errorf("%s: %d, %v", name, res.StatusCode, err)
		}
		for _, want := range []string{"<h1>" + c.title + "</h1>", `href="` + c.again + `"`} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s: the page has no %s", name, want)
			}
		}
		if strings.Contains(string(page), "fire") || !strings.Contains(log.String(), "the disk is on fire") {
			t.Errorf("%s: what went wrong is on the page, or not in the log: %s", name, log.String())
		}
	}
}
