package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/forms"
	"hookgate/internal/event"
)

// hosted shows the page that is made from the form's fields.
func (s *Server) hosted(a *formAnswer) error {
	a.page(http.StatusOK)
	return a.form.RenderForm(a.c.Response().BodyWriter(), a.lang, a.form.Name, s.started(a.form))
}

// started is a time token for a page of the form, "" where it needs none.
func (s *Server) started(f *forms.Form) string {
	if !f.Timed() {
		return ""
	}
	return f.Started(s.cfg.FormKey, s.cfg.Now())
}

// formStarted gives a page of a website the time token that its form needs: as
// a script that puts it into the snippets, or as JSON.
func (s *Server) formStarted(c *fiber.Ctx) error {
	a := &formAnswer{c: c, form: s.cfg.Plan().Forms[c.Params("form")], json: true, lang: forms.Negotiate(c.Get(fiber.HeaderAcceptLanguage))}
	if a.form == nil || !a.form.Timed() {
		return a.fault(http.StatusNotFound, "")
	}
	if !strings.HasSuffix(c.Path(), ".js") {
		a.headers(a.form.CORS(c.Get(fiber.HeaderOrigin)))
		return a.write(http.StatusOK, fiber.MIMEApplicationJSON, map[string]string{"_started": s.started(a.form)})
	}
	script, err := a.form.StartedScript(s.cfg.FormKey, s.cfg.Now())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin") // websites load it
	return c.SendString(script)
}

// formThanks is the built-in page after a post: /f/{form}/thanks.
func (s *Server) formThanks(c *fiber.Ctx) error {
	a := &formAnswer{c: c, form: s.cfg.Plan().Forms[c.Params("form")]}
	if a.form == nil {
		a.lang = forms.Negotiate(c.Get(fiber.HeaderAcceptLanguage))
		return a.fault(http.StatusNotFound, "")
	}
	a.lang = a.form.Language(forms.Lang(c.Query("lang")), c.Get(fiber.HeaderAcceptLanguage))
	ref, err := event.ParseID(c.Query("ref"))
	if err != nil {
		ref = 0 // somebody's own idea of an address: the page is true without it
	}
	a.page(http.StatusOK)
	return a.form.RenderThanks(c.Response().BodyWriter(), a.lang, ref, c.Get(fiber.HeaderReferer))
}
