package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"hookgate/app/web/api"
	"hookgate/app/web/ui"
)

// Server serves the public side and, on another listener, the administration
// API. It is safe for concurrent use.
type Server struct {
	cfg      Config
	settings atomic.Pointer[Settings]

	public, admin *fiber.App
	ui            *ui.UI

	posts    *buckets[postKey]
	asked    *buckets[string] // requests for the API, by visitor
	refusals *refusalLog
	uploads  *shares     // posts with files that are being read
	proxied  sync.Once   // see warnOfProxy
	leaving  atomic.Bool // see Leave
	open     sync.Map    // every *guardedConn that is not closed
}

// New makes a Server; it does not listen yet.
func New(cfg Config) *Server {
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{
		cfg:      cfg,
		posts:    newBuckets[postKey](maxBuckets),
		asked:    newBuckets[string](maxBuckets),
		refusals: newRefusalLog(cfg.Logger, cfg.Now),
		uploads:  newShares(maxUploads, maxUploads/16),
	}
	s.Configure(cfg.Settings)
	s.ui = s.newUI()
	s.public, s.admin = s.newApp(), s.newApp()

	metrics := fasthttpadaptor.NewFastHTTPHandler(cfg.Metrics)
	serveMetrics := func(c *fiber.Ctx) error {
		metrics(c.Context())
		return nil
	}
	s.public.All("/in/:source/:token?", s.in)
	s.public.Get("/files/:id", s.download)
	s.public.All("/f/:form", s.formOrHook)
	s.public.Get("/f/:form/thanks", s.formThanks)
	s.public.Get("/f/:form/started.js", s.formStarted)
	s.public.Get("/f/:form/started", s.formStarted)
	s.public.All("/f/:form/:token", s.formHook)
	s.public.All("/in/*", func(c *fiber.Ctx) error { return s.unknown(c.Context(), s.settings.Load()) })
	s.public.All("/f/*", s.noForm)
	s.public.Get("/metrics", s.login, serveMetrics)
	api.Register(s.public.Group("/api/v1", s.login, s.askedTooMuch, s.wholeBody), cfg.Admin, cfg.Logger, cfg.Now)
	s.admin.Get("/metrics", serveMetrics)
	api.Register(s.admin.Group("/api/v1", s.wholeBody), cfg.Admin, cfg.Logger, cfg.Now)
	s.ui.Register(s.public, s.smallBody)
	for _, app := range []*fiber.App{s.public, s.admin} {
		app.Get("/healthz", healthz)
		app.Get("/readyz", s.readyz)
		app.Use(s.notFound)
		s.tune(app)
	}
	return s
}

// newUI makes the pages. What they are made of is built in.
func (s *Server) newUI() *ui.UI {
	return ui.New(ui.Config{
		Access: s.cfg.Access, Service: s.cfg.Pages, Version: s.cfg.Version, Logger: s.cfg.Logger, Now: s.cfg.Now,
		Settings: func() ui.Settings {
			settings := s.settings.Load()
			return ui.Settings{PublicURL: settings.PublicURL, Location: settings.Location}
		},
		Client: func(ctx *fasthttp.RequestCtx) netip.Addr { return network(s.settings.Load().client(ctx)) },
		Secure: func(ctx *fasthttp.RequestCtx) bool { return s.settings.Load().https(ctx) },
	})
}

// Configure puts other settings into force, for requests that begin from now on.
func (s *Server) Configure(settings Settings) {
	if settings.MaxBody <= 0 {
		settings.MaxBody = defaultMaxBody
	}
	settings.PublicURL = strings.TrimRight(settings.PublicURL, "/")
	s.settings.Store(&settings)
}

// newApp makes a Fiber app. Immutable has every text that Fiber hands out
// copied, because handlers keep them; paths are exact, so that /ADMIN/x/ is not
// /admin/x.
func (s *Server) newApp() *fiber.App {
	return fiber.New(fiber.Config{
		Immutable:                    true,
		CaseSensitive:                true,
		StrictRouting:                true,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true, // it would change the bytes that senders have signed
		ReadTimeout:                  s.cfg.Limits.ReadTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		ReadBufferSize:               headerBuffer,
		Concurrency:                  s.cfg.Limits.Connections + 1, // the guard is what limits them
		ErrorHandler:                 s.routeError,
		JSONEncoder:                  plainJSON,
	})
}

// tune sets what Fiber has no setting for.
func (s *Server) tune(app *fiber.App) {
	handler := app.Handler() // it also makes the routes final
	server := app.Server()
	answer := s.recovered(handler)
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		answer(ctx)
		if s.leaving.Load() {
			ctx.SetConnectionClose()
		}
	}
	server.ErrorHandler = s.protocolError
	server.CloseOnShutdown = true
	server.StreamRequestBody = true     // routes read their bodies
	server.SecureErrorLogMessage = true // a request's header may hold credentials
	server.HeaderReceived = func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
		return fasthttp.RequestConfig{MaxRequestBodySize: prefetch}
	}
}

// recovered keeps a panic in one request from ending the process, and answers
// what Fiber would not as a problem.
func (s *Server) recovered(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if r := recover(); r != nil {
				s.cfg.Logger.Error("a request made a handler panic: this is a bug",
					"method", string(ctx.Method()), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				ctx.Response.Reset()
				ctx.SetConnectionClose() // the body may not have been read
				s.problem(ctx, api.Problem{Status: fasthttp.StatusInternalServerError, Detail: "the server's log says more"})
			}
		}()
		if s.strict(ctx) {
			return
		}
		next(ctx)
		s.finish(ctx)
	}
}

// problem answers with p. A fault in that is ours, and logged.
func (s *Server) problem(ctx *fasthttp.RequestCtx, p api.Problem) {
	if err := api.WriteProblem(ctx, p); err != nil {
		s.cfg.Logger.Error("an answer could not be written", "error", err)
		ctx.Response.SetStatusCode(p.Status)
	}
}

// routeError answers for errors that handlers return: Fiber's own, such as a
// method that a route does not have, and faults of ours.
func (s *Server) routeError(c *fiber.Ctx, err error) error {
	if own, ok := errors.AsType[*fiber.Error](err); ok {
		return api.WriteProblem(c.Context(), api.Problem{Status: own.Code})
	}
	p, known := api.ProblemOf(err)
	if !known {
		s.cfg.Logger.Error("a request could not be answered", "method", c.Method(), "error", err)
	}
	return api.WriteProblem(c.Context(), p)
}

// notFound answers for every path that is none of ours. Who posts to one may
// be a sender with an address that was mistyped: that is worth a line.
func (s *Server) notFound(c *fiber.Ctx) error {
	s.lost(c)
	return api.WriteProblem(c.Context(), api.Problem{Status: fiber.StatusNotFound})
}

// lost counts a request to an address that there is not, and logs one that
// brings something.
func (s *Server) lost(c *fiber.Ctx) {
	brings := c.Method() == fiber.MethodPost || c.Method() == fiber.MethodPut || c.Method() == fiber.MethodPatch
	// A browser asks before some posts, and does not post then.
	asks := c.Method() == fiber.MethodOptions && c.Get(fiber.HeaderAccessControlRequestMethod) != ""
	if !brings && !asks {
		s.cfg.Refused("", "not_found")
		return
	}
	attrs := []slog.Attr{slog.String("remote_ip", s.settings.Load().client(c.Context()).String())}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" { // whose page it is
		attrs = append(attrs, slog.String("origin", origin))
	}
	// The path is not logged: it may hold a token.
	s.refused("", "not_found", append(attrs, slog.String("reason", "there is nothing at this address: a form that was renamed, or a slash too many?"))...)
}

// Serve serves the public side until Shutdown, and returns nil then.
func (s *Server) Serve(ln net.Listener) error {
	trusted := func(ip netip.Addr) bool { return s.settings.Load().trusts(ip) }
	return s.public.Server().Serve(newGuard(ln, s.cfg.Limits, &s.open, trusted, s.tooManyConnections))
}

// ServeAdmin serves the administration API to whoever can connect to ln (see
// ListenUnix) until Shutdown, and returns nil then.
func (s *Server) ServeAdmin(ln net.Listener) error {
	trusted := func(netip.Addr) bool { return true } // on a unix socket nobody has an address
	return s.admin.Server().Serve(newGuard(ln, s.cfg.Limits, &s.open, trusted, s.tooManyConnections))
}

// tooManyConnections counts and logs a connection that was closed unread.
func (s *Server) tooManyConnections(from netip.Addr) {
	s.refused("", "too_many_connections", slog.String("remote_ip", from.String()))
}

// Leave has every answer from now on end its connection. A proxy would send the
// next request on one that is kept, perhaps just as Shutdown closes it, and not
// know whether it was read.
func (s *Server) Leave() { s.leaving.Store(true) }

// Shutdown stops listening, finishes the requests that have begun, and closes
// idle connections. After patience it closes those of the other requests, too:
// what a sender does not send, or a reader does not read, must not cost others
// the time that ctx has for all. It waits until ctx is done at most.
func (s *Server) Shutdown(ctx context.Context, patience time.Duration) error {
	const farewell = 2 * time.Second // for handlers to notice that their connection is gone
	ctx, cancel := context.WithTimeout(ctx, patience+farewell)
	defer cancel()
	defer time.AfterFunc(patience, s.cutOff).Stop()
	public := make(chan error, 1)
	go func() { public <- s.public.Server().ShutdownWithContext(ctx) }()
	adminErr := s.admin.Server().ShutdownWithContext(ctx)
	if err := errors.Join(<-public, adminErr); err != nil {
		return fmt.Errorf("not all requests could be finished: %w", err)
	}
	return nil
}

// cutOff closes all connections under the requests that use them.
func (s *Server) cutOff() {
	n := 0
	s.open.Range(func(conn, _ any) bool {
		_ = conn.(*guardedConn).Conn.Close() // its own Close is for who uses it
		n++
		return true
	})
	s.cfg.Logger.Warn("connections were closed in the middle of their requests, which took too long for the end of the process", "connections", n)
}

// refused counts and logs a request that is refused before it is stored.
func (s *Server) refused(source, result string, attrs ...slog.Attr) {
	s.cfg.Refused(source, result)
	s.refusals.warn(append(attrs, slog.String("source", source), slog.String("result", result))...)
}

// healthz says that the process answers, and nothing of how it is.
func healthz(c *fiber.Ctx) error {
	return c.SendString("ok\n")
}

// readyz says whether to send requests here. Why not is for the operator's
// eyes: /api/v1/status and the log tell.
func (s *Server) readyz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.cfg.Ready() != nil {
		return c.Status(fiber.StatusServiceUnavailable).SendString("not ready\n")
	}
	return c.SendString("ok\n")
}

// plainJSON is json.Marshal that leaves <, > and & as they are: what rules
// have rendered is shown as it is sent.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
