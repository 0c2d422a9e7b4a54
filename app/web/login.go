package web

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin/access"
	"hookgate/app/web/api"
)

// loginTimeout is how long a login may wait for its turn to be checked.
const loginTimeout = 10 * time.Second

// login lets in who may use the API from elsewhere than this machine: a user by
// HTTP basic, a program by a bearer token. Without users configured there is
// nothing.
func (s *Server) login(c *fiber.Ctx) error {
	if !s.cfg.Access.Enabled() {
		return s.notFound(c)
	}
	ctx := c.Context()
	from := network(s.settings.Load().client(ctx))
	visitor, given, err := s.visitor(c, from)
	if locked, ok := errors.AsType[*access.LockedError](err); ok {
		return api.WriteProblem(ctx, api.Problem{Status: fiber.StatusTooManyRequests, Retry: locked.Wait, Detail: "too many failed logins from this address"})
	}
	if errors.Is(err, access.ErrDenied) {
		if given {
			s.refusals.warn(slog.String("result", "bad_login"), slog.String("remote_ip", from.String()))
		}
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="hookgate", charset="UTF-8"`)
		return api.WriteProblem(ctx, api.Problem{Status: fiber.StatusUnauthorized})
	}
	if err != nil {
		return err
	}
	if api.CrossSite(c) {
		return api.WriteProblem(ctx, api.Problem{
			Status: fiber.StatusForbidden, Detail: "a page of another site may not use the API",
		})
	}
	c.Locals(api.VisitorKey, visitor)
	return c.Next()
}

// apiBurst and apiRefill bound what one visitor may ask of the API: 1,000 requests at
// once and 200 a second. No person or sensible program comes near; a loop without a
// pause does, and would take the database from everybody else.
const (
	apiBurst  = 1000
	apiRefill = 5 * time.Second
)

// askedTooMuch refuses a visitor whom login let in and who asks more of the API than
// one may. By the socket nobody is a visitor, and nothing is counted.
func (s *Server) askedTooMuch(c *fiber.Ctx) error {
	visitor, _ := c.Locals(api.VisitorKey).(access.Visitor)
	if wait, ok := s.asked.take(visitor.Name, apiBurst, apiRefill, s.cfg.Now()); !ok {
		return api.WriteProblem(c.Context(), api.Problem{Status: fiber.StatusTooManyRequests, Retry: wait, Detail: "too many requests of " + visitor.Name})
	}
	return c.Next()
}

// visitor is who the request's Authorization header stands for.
func (s *Server) visitor(c *fiber.Ctx, from netip.Addr) (v access.Visitor, given bool, err error) {
	ctx, cancel := context.WithTimeout(c.UserContext(), loginTimeout)
	defer cancel()
	header := c.Get(fiber.HeaderAuthorization)
	if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") {
		v, err = s.cfg.Access.Token(ctx, strings.TrimSpace(token), from)
		return v, true, err
	}
	user, password, given := basicAuth(header)
	if !given {
		return v, false, access.ErrDenied
	}
	v, err = s.cfg.Access.Password(ctx, user, password, from)
	return v, true, err
}

// basicAuth reads an Authorization header (RFC 7617).
func basicAuth(header string) (user, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}
