package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/web/api"
)

const (
	// freeFailures may go wrong before an address has to wait; from then on it
	// waits twice as long after each further failure, up to longestLockout.
	freeFailures   = 5
	longestLockout = 5 * time.Minute
	// maxLockouts bounds the addresses that are remembered.
	maxLockouts = 4096
)

// login lets only the admin through. Without one configured there is nothing.
func (s *Server) login(c *fiber.Ctx) error {
	settings := s.settings.Load()
	if settings.AdminUser == "" || settings.AdminPassword.IsZero() {
		return s.notFound(c)
	}
	ctx, now := c.Context(), s.cfg.Now()
	from := network(settings.client(ctx))
	if wait := s.lockouts.wait(from, now); wait > 0 {
		return api.WriteProblem(ctx, api.Problem{
			Status: fiber.StatusTooManyRequests, Retry: wait, Detail: "too many failed logins from this address",
		})
	}
	user, password, given := basicAuth(c.Get(fiber.HeaderAuthorization))
	// Both are compared always, and as hashes, so that time tells nothing.
	ok := equal(user, settings.AdminUser) & equal(password, settings.AdminPassword.Reveal())
	if ok != 1 {
		if given {
			s.lockouts.failed(from, now)
			s.refusals.warn(slog.String("result", "bad_login"), slog.String("remote_ip", from.String()))
		}
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="hookgate", charset="UTF-8"`)
		return api.WriteProblem(ctx, api.Problem{Status: fiber.StatusUnauthorized})
	}
	s.lockouts.succeeded(from)
	if crossSite(c) {
		return api.WriteProblem(ctx, api.Problem{
			Status: fiber.StatusForbidden, Detail: "a page of another site may not use the API",
		})
	}
	c.Locals(api.UserKey, settings.AdminUser)
	return c.Next()
}

// crossSite reports that a browser sends the request because of a page of
// another site, and with the login that it remembers.
func crossSite(c *fiber.Ctx) bool {
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

func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
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

// lockouts slows down whoever tries passwords. It is safe for concurrent use.
type lockouts struct {
	mu   sync.Mutex
	from map[netip.Addr]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time
}

func newLockouts() *lockouts { return &lockouts{from: map[netip.Addr]*failures{}} }

// wait is how long the address has to wait before it may try again.
func (l *lockouts) wait(ip netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.from[ip]; f != nil {
		return f.until.Sub(now)
	}
	return 0
}

func (l *lockouts) failed(ip netip.Addr, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.from[ip]
	if f == nil {
		l.forget(now)
		f = &failures{}
		l.from[ip] = f
	}
	f.count++
	f.last = now
	if over := f.count - freeFailures; over >= 0 {
		f.until = now.Add(min(longestLockout, time.Second<<min(over, 20)))
	}
}

func (l *lockouts) succeeded(ip netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.from, ip)
}

// forget makes room: first for what is long over, then for the oldest.
func (l *lockouts) forget(now time.Time) {
	if len(l.from) < maxLockouts {
		return
	}
	var oldest netip.Addr
	for ip, f := range l.from {
		if now.Sub(f.last) > longestLockout {
			delete(l.from, ip)
		} else if o := l.from[oldest]; o == nil || f.last.Before(o.last) {
			oldest = ip
		}
	}
	if len(l.from) >= maxLockouts {
		delete(l.from, oldest)
	}
}
