// Package api is the administration API, version 1: JSON over HTTP under
// /api/v1, on the unix socket beside the database and, where an admin is
// configured, on the public listener behind basic auth. A file holds one
// resource: what it asks for, its routes, its handlers. What is asked and
// answered are the types of package admin; package client speaks them, too.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

// Contract is what operators do with a gateway: the gateway's own
// admin.Service, or a client of its API. Errors about records that there are
// not are event.ErrNotFound.
type Contract interface { //nolint:interfacebloat // the sum of the resources
	Events
	Sources
	Deliveries
	RetryRuns
	Connections
	Statistics
	Config
	Rules
	Forms
	Erasures
	Replays
	Tables
	Digests
	Views
	Logins
	Process
}

// Service is what the API offers.
type Service interface {
	Contract
	Watching
	Files
	Exports
}

const (
	readTimeout   = 30 * time.Second
	changeTimeout = 5 * time.Minute
	// testTimeout is longer than the longest attempt may take.
	testTimeout = 11 * time.Minute
)

// handler holds what all routes need.
type handler struct {
	service Service
	logger  *slog.Logger
	now     func() time.Time
}

// Register adds the routes below r, which stands for /api/v1.
func Register(r fiber.Router, service Service, logger *slog.Logger, now func() time.Time) {
	h := &handler{service: service, logger: logger, now: now}
	for _, resource := range []func(fiber.Router){
		h.eventRoutes, h.sourceRoutes, h.ruleRoutes, h.replayRoutes, h.retryRunRoutes, h.deliveryRoutes, h.formRoutes, h.erasureRoutes, h.connectionRoutes, h.tableRoutes, h.digestRoutes, h.viewRoutes, h.statsRoutes, h.configRoutes, h.fileRoutes, h.loginRoutes, h.processRoutes,
	} {
		resource(r)
	}
	r.Use(func(c *fiber.Ctx) error {
		return WriteProblem(c.Context(), Problem{Status: fiber.StatusNotFound, Detail: "the API has no such route"})
	})
}

// answer makes a route's fault an answer: whoever called sees what is wrong
// with the request, and everything else is logged and shown as 500 or 503.
func (h *handler) answer(route fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		err := route(c)
		if err == nil {
			return nil
		}
		problem, known := ProblemOf(err)
		if !known {
			h.logger.Error("the API could not answer", "method", c.Method(), "path", c.Path(), "error", err)
		}
		return WriteProblem(c.Context(), problem)
	}
}

// respond does what a route is for, within the time it may take, for whoever
// calls, and answers with what comes of it.
func respond[T any](c *fiber.Ctx, within time.Duration, do func(context.Context) (T, error)) error {
	ctx, cancel := context.WithTimeout(admin.As(c.UserContext(), who(c)), within)
	defer cancel()
	out, err := do(ctx)
	if err != nil {
		return err
	}
	return c.JSON(out)
}

// VisitorKey is under which a login leaves who makes the request. Nobody stands
// there for requests by the socket, whose file lets in who may do everything.
const VisitorKey = "hookgate.visitor"

// who calls: the name of a user or token, or "" for whoever may open the socket.
func who(c *fiber.Ctx) string {
	visitor, _ := c.Locals(VisitorKey).(access.Visitor)
	return visitor.Name
}

// CrossSite reports that a browser sends the request because of a page of
// another site, and with the login that it remembers.
func CrossSite(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	// Browsers that do not send that, and pages without TLS, say the origin.
	origin := c.Get(fiber.HeaderOrigin)
	_, host, _ := strings.Cut(origin, "://")
	return origin != "" && !strings.EqualFold(host, string(c.Context().Host()))
}

// act is answer for a route that changes something: it is not for those who may
// only look.
func (h *handler) act(route fiber.Handler) fiber.Handler {
	return h.answer(func(c *fiber.Ctx) error {
		if visitor, known := c.Locals(VisitorKey).(access.Visitor); known && !visitor.May() {
			return WriteProblem(c.Context(), Problem{Status: fiber.StatusForbidden, Detail: visitor.Name + " may look at everything and change nothing"})
		}
		return route(c)
	})
}

func badRequest(format string, args ...any) error {
	return &admin.RefusedError{Message: fmt.Sprintf(format, args...)}
}

// declaredJSON refuses a body that is not declared as JSON: as such, a page of
// another site cannot have a browser send it without asking first.
func declaredJSON(c *fiber.Ctx) error {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationJSON {
		return &body.Error{Status: fiber.StatusUnsupportedMediaType, Message: "the API takes JSON", Hint: "send it with Content-Type: application/json"}
	}
	return nil
}

// decode reads the JSON body of an action; what says what it should be.
func decode(c *fiber.Ctx, into any, what string) error {
	if err := declaredJSON(c); err != nil {
		return err
	}
	if err := json.Unmarshal(c.BodyRaw(), into); err != nil {
		return badRequest("%s: %v", what, err)
	}
	return nil
}

// decodeOptional is decode where no body stands for the usual.
func decodeOptional(c *fiber.Ctx, into any, what string) error {
	if len(c.BodyRaw()) == 0 {
		return nil
	}
	return decode(c, into, what)
}

// eventID is the event that the path names; what is no id names none.
func eventID(c *fiber.Ctx) (event.ID, error) { return pathID(c, "event", event.ParseID) }

// pathName is the name in the path.
func pathName(c *fiber.Ctx) (string, error) {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return "", badRequest("%q is not a name", c.Params("name"))
	}
	return name, nil
}

func pathID[T any](c *fiber.Ctx, noun string, parse func(string) (T, error)) (T, error) {
	text := c.Params("id")
	id, err := parse(text)
	if err != nil {
		return id, &admin.NotFoundError{Message: fmt.Sprintf("there is no %s %q", noun, text)}
	}
	return id, nil
}
