// Package ui serves the pages under /ui/: what came in, why it went where it
// went, what failed, and what can be done about it. Every page is a whole page
// without scripts; scripts make it quicker and live. The pages stand on the same
// use cases as the API and the command line.
package ui

import (
	"embed"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/admin/access"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// Settings are what the pages take from the configuration in force.
type Settings struct {
	// PublicURL is server.public_url; "" where it is not set.
	PublicURL string
	// Location is server.timezone: times are written in it where the browser
	// has no script to write them in its own.
	Location *time.Location
}

// Config is what the pages need. All fields are required.
type Config struct {
	Access   *access.Control
	Service  Service
	Settings func() Settings
	// Client is the address that a request comes from, with trusted proxies
	// believed; Secure reports whether the browser came by https.
	Client  func(ctx *fasthttp.RequestCtx) netip.Addr
	Secure  func(ctx *fasthttp.RequestCtx) bool
	Version string
	Logger  *slog.Logger
	Now     func() time.Time
}

// UI serves the pages. It is safe for concurrent use.
type UI struct {
	cfg     Config
	assets  assets
	pages   pages
	exports chan struct{} // has room for as many as may be made at once

	listeners atomic.Int32 // pages that are told of what comes in

	navMu sync.Mutex
	nav   nav
	navAt time.Time // when nav was counted
}

// New makes the pages. Templates and files are built in: what is wrong with
// them is a fault of this program, which the tests of its page meet.
func New(cfg Config) *UI {
	assets, err := readAssets(staticFiles)
	if err != nil {
		panic(err)
	}
	pages, err := readPages(templateFiles, assets)
	if err != nil {
		panic(err)
	}
	return &UI{cfg: cfg, assets: assets, pages: pages, exports: make(chan struct{}, maxExports)}
}

// prefix is where the pages are.
const prefix = "/ui"

// Register adds the routes to r, and what / answers. body reads what a page
// posts into the request.
func (u *UI) Register(r fiber.Router, body fiber.Handler) {
	r.Get("/", u.front)
	g := r.Group(prefix, u.guarded, body)
	g.Get("/static/:hash/:name", u.static)
	g.Get("/login", u.loginPage)
	g.Post("/login", u.logIn)
	g.Get("/login/oidc", u.signIn)
	g.Get("/login/oidc/callback", u.signedIn)
	g.Get("/login/:once", u.follow)
	g.Get("/lang/:lang", u.language)
	g.Use(u.session)
	g.Post("/logout", u.logOut)
	g.Post("/logout/everywhere", u.logOutEverywhere)
	g.Get("/", u.overview)
	g.Get("/start", u.start)
	g.Post("/start/address", u.acting, u.showAddress)
	g.Get("/start/address", without("/start"))
	g.Post("/start/sample", u.acting, u.sendSample)
	u.registerEvents(g)
	u.registerForms(g)
	g.Get("/rules", u.rules)
	g.Get("/rules/alike", u.alike)
	g.Get("/routes", u.routes)
	g.Get("/playground", u.playground)
	g.Get("/playground/patch", u.patch)
	g.Get("/config", u.configFile)
	g.Get("/config/change", u.configChange)
	g.Get("/config/versions", u.configVersions)
	g.Get("/config/versions/:id", u.configVersion)
	g.Post("/config/reload", u.acting, u.reload)
	g.Get("/connections", u.connections)
	g.Post("/connections/:name/pause", u.acting, u.pauseConnection)
	g.Post("/connections/:name/resume", u.acting, u.resumeConnection)
	g.Post("/connections/:name/test", u.acting, u.testConnection)
	g.Get("/connections/:name/test", without("/connections"))
	u.registerTables(g)
	g.Get("/digests", u.digests)
	g.Get("/digests/:id", u.digest)
	g.Post("/digests/:id/send", u.acting, u.sendDigest)
	g.Post("/digests/:id/cancel", u.acting, u.cancelDigest)
	g.Use(func(c *fiber.Ctx) error { return u.notFound(c, "There is no such page.") })
}

// without leads who comes to the address of an act, as after a login from the page that
// told what came of it, to the page without it.
func without(page string) fiber.Handler {
	return func(c *fiber.Ctx) error { return c.Redirect(prefix+page, fiber.StatusSeeOther) }
}

// registerForms adds the pages of forms and of what they got.
func (u *UI) registerForms(g fiber.Router) {
	g.Get("/forms", u.forms)
	g.Get("/forms/:form", u.inbox)
	g.Get("/forms/:form/spam", u.spam)
	g.Post("/forms/post/:id/notspam", u.acting, u.notSpam)
	g.Post("/forms/post/:id/unread", u.acting, u.unread)
	g.Get("/forms/post/:id/delete", u.acting, u.deletePostPage)
	g.Post("/forms/post/:id/delete", u.acting, u.deletePost)
	g.Get("/forms/:form/fields", u.formFields)
	g.Get("/forms/:form/files", u.formFiles)
	g.Get("/forms/:form/snippet", u.formSnippet)
	g.Get("/forms/:form/all", u.allForms)
	g.Get("/forms/:form/export", u.exportForm)
	g.Get("/forms/:form/export/file", u.exportFile)
	g.Get("/files/:id", u.file)
	g.Get("/forget", u.forget)
	g.Post("/forget", u.acting, u.lookForPerson)
	g.Post("/forget/delete", u.acting, u.erasePerson)
	g.Get("/forget/delete", without("/forget"))
}

// registerTables adds the pages of what rules remember.
func (u *UI) registerTables(g fiber.Router) {
	g.Get("/tables", u.tables)
	g.Get("/tables/:name", u.table)
	g.Get("/tables/:name/export", u.exportTable)
	g.Post("/tables/:name/set", u.acting, u.setRecord)
	g.Post("/tables/:name/delete", u.acting, u.deleteRecord)
}

// registerEvents adds the pages of events and of what is sent because of them.
func (u *UI) registerEvents(g fiber.Router) {
	g.Get("/events", u.events)
	g.Get("/views", u.keepAgain)
	g.Post("/views", u.acting, u.keepView)
	g.Post("/views/delete", u.acting, u.deleteView)
	g.Get("/live", u.live)
	g.Get("/events/replay", u.planReplays)
	g.Post("/events/replay", u.acting, u.beginReplay)
	g.Get("/events/export", u.exportEvents)
	g.Get("/events/export/file", u.eventsFile)
	g.Get("/events/replays/:id", u.replayRun)
	g.Post("/events/replays/:id/step", u.acting, u.stepReplay)
	g.Get("/events/:id", u.event)
	g.Get("/events/:id/body", u.download)
	g.Post("/events/:id/replay", u.acting, u.replay)
	g.Get("/deliveries", u.deliveries)
	g.Get("/scheduled", u.scheduled)
	g.Get("/deliveries/retry", u.planRetry)
	g.Post("/deliveries/retry", u.acting, u.retry)
	g.Post("/deliveries/cancel", u.acting, u.cancel)
	g.Get("/deliveries/runs/:id", u.retryRun)
	g.Post("/deliveries/runs/:id/pause", u.acting, u.steerRun(event.RetryPaused))
	g.Post("/deliveries/runs/:id/resume", u.acting, u.steerRun(event.RetryRunning))
	g.Post("/deliveries/runs/:id/stop", u.acting, u.steerRun(event.RetryStopped))
}

// policy is what the pages may do in a browser: nothing that is not served from
// here, and nothing inline.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded sets the headers that every answer below /ui has, and refuses posts
// that a page of another site makes a browser send.
func (u *UI) guarded(c *fiber.Ctx) error {
	if !u.cfg.Access.Enabled() {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !looks(c) && api.CrossSite(c) {
		return u.refuse(c, fiber.StatusForbidden, "A page of another site may not do this here.")
	}
	return c.Next()
}

// front answers for /: with an admin it leads to the pages, without one it says
// what this is and nothing else.
func (u *UI) front(c *fiber.Ctx) error {
	if u.cfg.Access.Enabled() {
		return c.Redirect(prefix+"/", fiber.StatusSeeOther)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	return u.render(c, "front", "hookgate", nil)
}

// static serves a file that is built in, under its hash: it never changes.
func (u *UI) static(c *fiber.Ctx) error {
	file, ok := u.assets[c.Params("name")]
	if !ok || file.hash != c.Params("hash") {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, file.mediaType)
	return sendPacked(c, file.content, file.packed)
}

// fail answers for an error: what the visitor asked for cannot be, or else it is none of
// theirs. Then it is logged, and the page says that nothing is lost, and leads to where
// they wanted to be.
func (u *UI) fail(c *fiber.Ctx, err error) error {
	switch said, status := explained(languageOf(c), err); status {
	case 0:
	case fiber.StatusNotFound:
		return u.notFound(c, said)
	default:
		return u.refuse(c, status, said)
	}
	u.cfg.Logger.Error("a page could not be made", "path", c.Path(), "error", err)
	if !looks(c) {
		u.keepTyped(c)
	}
	c.Status(fiber.StatusServiceUnavailable)
	return u.render(c, "failed", "This does not work just now", here(c))
}
