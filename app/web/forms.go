package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/ingest"
	"hookgate/app/web/api"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

// postKey is whose form posts are counted together.
type postKey struct {
	from netip.Addr
	form string
}

// formAnswer is an answer to a form's visitor, as a page or as JSON.
type formAnswer struct {
	c    *fiber.Ctx
	form *forms.Form // nil where there is none
	lang forms.Lang
	json bool
}

// form takes a visitor's post: /f/{form}.
func (s *Server) form(c *fiber.Ctx) error {
	settings := s.settings.Load()
	plan := s.cfg.Plan()
	name := c.Params("form")
	a := &formAnswer{
		c:    c,
		form: plan.Forms[name],
		json: forms.WantsJSON(func(name string) string { return c.Get(name) }),
	}
	if a.form == nil {
		return s.noForm(c)
	}
	a.lang = a.form.Language("", c.Get(fiber.HeaderAcceptLanguage))
	origin := c.Get(fiber.HeaderOrigin)
	a.headers(a.form.CORS(origin))
	switch c.Method() {
	case http.MethodOptions:
		return s.preflight(a, origin)
	case http.MethodPost:
	case http.MethodGet, http.MethodHead:
		if a.form.Hosted() {
			a.lang = a.form.Language(forms.Lang(c.Query("lang")), c.Get(fiber.HeaderAcceptLanguage))
			return s.hosted(a)
		}
		fallthrough
	default:
		c.Set(fiber.HeaderAllow, a.allow())
		return a.fault(http.StatusMethodNotAllowed, "")
	}
	return s.post(a, settings, plan, origin)
}

// noForm answers a visitor for whose address there is no form.
func (s *Server) noForm(c *fiber.Ctx) error {
	s.lost(c)
	a := &formAnswer{c: c, lang: forms.Negotiate(c.Get(fiber.HeaderAcceptLanguage))}
	a.json = forms.WantsJSON(func(name string) string { return c.Get(name) })
	return a.fault(http.StatusNotFound, "")
}

// post takes a visitor's post, or answers why not.
func (s *Server) post(a *formAnswer, settings *Settings, plan *ingest.Plan, origin string) error {
	c := a.c
	upload := takesUpload(c.Context(), a.form)
	if coding := c.Get(fiber.HeaderContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") {
		s.refused(a.form.Name, "unreadable", slog.String("reason", "a form post is not read when it is compressed"))
		return a.refuse(http.StatusUnsupportedMediaType, 0) // no browser compresses; a little of it can unpack to much
	}
	if wait, status := s.admitPost(c, settings, a.form, origin); status != 0 {
		return a.refuse(status, wait)
	}
	r := s.newRequest(c, settings)
	r.Source, r.Headers = a.form.Name, keptHeaders(&c.Context().Request.Header, plan.KeepsHeader(a.form.Name))
	stream := &uploadStream{}
	var err error
	if upload {
		stream, err = s.newUpload(c.Context(), settings, a.form)
		defer s.endUpload(c.Context(), stream)
		r.Stream = stream
	} else {
		r.Body, err = s.readBody(c.Context(), min(a.form.MaxBody(), settings.MaxBody))
	}
	var leave func()
	if err == nil {
		leave, err = s.understand(c.Context(), r)
	}
	if err != nil {
		return s.refuseUnread(a, err)
	}
	defer leave()
	ack, err := s.cfg.Intake.Accept(plan, r)
	result := ack.Form
	a.lang = a.form.Language(result.Language, c.Get(fiber.HeaderAcceptLanguage))
	switch {
	case stream.err != nil:
		return s.refuseUnread(a, stream.err)
	case err != nil:
		return s.postFault(a, ack, err)
	case len(result.Problems) > 0:
		s.invalid(a.form, &result)
		result.Started = s.started(a.form)
		return a.problems(result)
	default:
		return a.thanks(ack, result, origin)
	}
}

// preflight answers a browser that asks whether a script may post. Where it may
// not, nothing else will ever be heard of the post: the log and the counter are
// who tells.
func (s *Server) preflight(a *formAnswer, origin string) error {
	asked := a.c.Get(fiber.HeaderAccessControlRequestHeaders)
	headers, refused := a.form.Preflight(origin, a.c.Get(fiber.HeaderAccessControlRequestMethod), asked)
	a.headers(headers)
	if refused != "" {
		s.refused(a.form.Name, "preflight_refused", slog.String("origin", origin), slog.String("headers", asked), slog.String("reason", refused))
	}
	a.c.Set(fiber.HeaderAllow, a.allow())
	return a.c.SendStatus(http.StatusNoContent)
}

// invalid counts a post whose values the visitor has to correct, and logs what
// only the page's owner can: a form that does not send its files.
func (s *Server) invalid(f *forms.Form, result *forms.Result) {
	if len(result.Named) == 0 {
		s.cfg.Refused(f.Name, "invalid")
		return
	}
	s.refused(f.Name, "invalid", slog.String("field", result.Named[0]),
		slog.String("reason", `names of files came and no files: the HTML of the page's form lacks enctype="multipart/form-data"`))
}

// admitPost checks where a post comes from, and how often. The status is 0
// for one that may go on.
func (s *Server) admitPost(c *fiber.Ctx, settings *Settings, f *forms.Form, origin string) (time.Duration, int) {
	ip := settings.client(c.Context())
	s.warnOfProxy(c.Context(), settings)
	if !f.AllowsOrigin(origin, settings.base(c.Context())) {
		s.refused(f.Name, "wrong_origin", slog.String("remote_ip", ip.String()), slog.String("origin", origin), slog.String("reason", forms.Unlisted(origin)))
		return 0, http.StatusForbidden
	}
	limit := f.RateLimit()
	if limit.Count <= 0 {
		return 0, 0
	}
	wait, ok := s.posts.take(postKey{network(ip), f.Name}, limit.Count, limit.Per, s.cfg.Now())
	if !ok {
		s.refused(f.Name, "rate_limited", slog.String("remote_ip", ip.String()))
		return wait, http.StatusTooManyRequests
	}
	return 0, 0
}

// takesUpload reports a post that is read as a stream, because files may be in
// it. Whoever sends one looks for the answer late.
func takesUpload(ctx *fasthttp.RequestCtx, f *forms.Form) bool {
	upload := f.TakesFiles() && ctx.RequestBodyStream() != nil &&
		bytes.HasPrefix(ctx.Request.Header.ContentType(), []byte(fiber.MIMEMultipartForm))
	if conn, ok := ctx.Conn().(*guardedConn); ok {
		conn.upload.Store(upload)
	}
	return upload
}

// refuseUnread answers a post whose body was not read to its end.
func (s *Server) refuseUnread(a *formAnswer, err error) error {
	p := protocolProblem(err, 0)
	s.refusedUnread(a.c.Context(), a.form.Name, p)
	return a.refuse(p.Status, p.Retry)
}

// postFault answers for a post that the intake did not take. One that was kept
// nevertheless the intake has counted.
func (s *Server) postFault(a *formAnswer, ack ingest.Ack, err error) error {
	p, known := api.ProblemOf(err)
	if !known {
		s.cfg.Logger.Error("a form post could not be taken", "form", a.form.Name, "error", err)
	}
	if ack.ID == 0 {
		s.refused(a.form.Name, refusal(err))
	}
	if p.Retry > 0 {
		a.c.Set(fiber.HeaderRetryAfter, api.RetryAfter(p.Retry))
	}
	if p.Status >= http.StatusInternalServerError {
		p.Detail = "" // a visitor cannot do anything with it
	}
	if p.Status == http.StatusRequestEntityTooLarge {
		p.Detail = tooLarge(a.form, a.lang, err)
	}
	return a.fault(p.Status, p.Detail)
}

// refuse answers a post that is not read at all.
func (a *formAnswer) refuse(status int, wait time.Duration) error {
	if wait > 0 {
		a.c.Set(fiber.HeaderRetryAfter, api.RetryAfter(wait))
	}
	detail := ""
	if status == http.StatusRequestEntityTooLarge {
		detail = tooLarge(a.form, a.lang, nil)
	}
	return a.fault(status, detail)
}

// tooLarge says to a visitor how large a post can be.
func tooLarge(f *forms.Form, lang forms.Lang, err error) string {
	fault := (*body.Error)(nil)
	switch {
	case errors.As(err, &fault) && fault.Counted:
		return f.TooManyFields(lang, fault.Limit)
	case fault != nil:
		return f.TooLarge(lang, fault.Limit)
	}
	return f.TooLarge(lang, 0)
}

// allow are the methods that the form's address takes.
func (a *formAnswer) allow() string {
	if a.form.Hosted() {
		return "GET, HEAD, POST, OPTIONS"
	}
	return "POST, OPTIONS"
}

// thanks answers a post that was taken, or taken for spam: the sender must not
// be able to tell.
func (a *formAnswer) thanks(ack ingest.Ack, result forms.Result, origin string) error {
	if a.json {
		return a.write(http.StatusOK, fiber.MIMEApplicationJSON, forms.Accepted{OK: true, ID: ack.ID})
	}
	referer := a.c.Get(fiber.HeaderReferer)
	location := a.form.Location(result, origin, referer)
	if location == "" {
		// Relative, so that it holds behind a proxy with a path of its own. The
		// page is at an address of its own: who reloads it posts nothing again.
		location = a.form.Name + "/thanks?" + url.Values{"ref": {ack.ID.String()}, "lang": {string(a.lang)}}.Encode()
	}
	a.c.Set(fiber.HeaderLocation, location)
	a.c.Set(fiber.HeaderCacheControl, "no-store")
	return a.c.SendStatus(http.StatusSeeOther)
}

// problems answers a post whose values the visitor has to correct.
func (a *formAnswer) problems(result forms.Result) error {
	if a.json {
		return a.write(http.StatusUnprocessableEntity, "application/problem+json", forms.ProblemAnswer(a.lang, result.Problems))
	}
	a.page(http.StatusUnprocessableEntity)
	// The action is relative, so that it holds behind a proxy with a path of its own.
	return a.form.RenderProblems(a.c.Response().BodyWriter(), a.lang, a.form.Name, result)
}

// fault answers with a status that is no success.
func (a *formAnswer) fault(status int, detail string) error {
	if a.json {
		return a.write(status, "application/problem+json", forms.ErrorAnswer(a.lang, status, detail))
	}
	a.page(status)
	return a.form.RenderError(a.c.Response().BodyWriter(), a.lang, status, detail)
}

func (a *formAnswer) page(status int) {
	a.headers(forms.PageHeaders(a.form, a.lang))
	a.c.Status(status)
}

func (a *formAnswer) headers(list []forms.Header) {
	for _, h := range list {
		a.c.Set(h.Name, h.Value)
	}
}

func (a *formAnswer) write(status int, mediaType string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write the answer to a form post: %w", err)
	}
	a.c.Set(fiber.HeaderContentType, mediaType)
	a.c.Set(fiber.HeaderCacheControl, "no-store")
	return a.c.Status(status).Send(text)
}

// formOrHook tells the forms that visitors post from those that builders send.
func (s *Server) formOrHook(c *fiber.Ctx) error {
	if form := s.cfg.Plan().Forms[c.Params("form")]; form != nil && form.Webhook() {
		return s.formHook(c)
	}
	return s.form(c)
}

// formHook takes what a form builder sends: /f/{form}/{token}, or /f/{form}
// where it signs. There is no CORS, no page and no redirect: no visitor is here.
func (s *Server) formHook(c *fiber.Ctx) error {
	settings := s.settings.Load()
	plan := s.cfg.Plan()
	ctx := c.Context()
	form, src := plan.Forms[c.Params("form")], plan.Senders[c.Params("form")]
	if form == nil || src == nil {
		return s.unknown(ctx, settings)
	}
	ack, err := s.take(c, settings, plan, src)
	if ack == nil {
		return err
	}
	// 200, because there are builders that take nothing else for a success.
	text, err := json.Marshal(forms.Accepted{OK: true, ID: ack.ID})
	if err != nil {
		return fmt.Errorf("write the answer to a form builder: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(http.StatusOK).Send(text)
}

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
