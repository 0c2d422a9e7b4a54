// Package access says who may look at and operate the gateway from elsewhere
// than its own machine: users with a password, the sessions of browsers that
// logged in, links that log in once, people whom a provider knows (OpenID Connect),
// and the tokens of programs.
//
// Secrets are random and 32 bytes long; the store has only their SHA-256. A
// user's password is compared with an argon2id hash, or with the configuration's
// plain one.
package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"hookgate/internal/event"
)

// Role says what a user may do.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // looks at everything, changes nothing
	Operator Role = "operator" // also retries, pauses, sends, reloads, deletes
)

// User is one who may log in.
type User struct {
	Name string
	Role Role
	// Password is compared as it is; Hash is argon2id's text of it. One of them
	// is set.
	Password event.Secret
	Hash     string
}

// fingerprint is what a session remembers of its user's password, so that it ends
// when that is changed. It is keyed by the session's secret, which the store lacks:
// whoever reads the database cannot try passwords on it.
func (u User) fingerprint(secret string) []byte {
	h := hmac.New(sha256.New, []byte("password:"+secret))
	h.Write([]byte(u.Hash + "\x00" + u.Password.Reveal()))
	return h.Sum(nil)
}

// Visitor is who makes a request: a user, or a token in the name of a program.
type Visitor struct {
	Name string
	Role Role
}

// May reports whether the visitor may change things.
func (v Visitor) May() bool { return v.Role == Operator }

// Store keeps sessions, links and tokens.
type Store interface {
	SessionStore
	LinkStore
	TokenStore
}

// SessionStore keeps the sessions of browsers.
type SessionStore interface {
	AddSession(s event.Session) error
	Session(ctx context.Context, hash []byte) (event.Session, error)
	SessionSeen(hash []byte, seen, expires time.Time) error
	EndSession(hash []byte) error
	EndSessions(user string) error
}

// LinkStore keeps links that log in once.
type LinkStore interface {
	AddLoginLink(hash []byte, user string, expires time.Time) error
	UseLoginLink(ctx context.Context, hash []byte, now time.Time) (user string, err error)
}

// TokenStore keeps the tokens of programs.
type TokenStore interface {
	AddToken(t event.Token) error
	TokenOf(ctx context.Context, hash []byte) (event.Token, error)
	Tokens(ctx context.Context) ([]event.Token, error)
	TokenUsed(id event.AuditID, at time.Time) error
	RevokeToken(id event.AuditID) error
}

const (
	// sessionIdle is how long a session lasts without a request, sessionMost how
	// long in all.
	sessionIdle = 7 * 24 * time.Hour
	sessionMost = 30 * 24 * time.Hour
	// seenEvery is how exactly the last use of a session or token is stored.
	seenEvery = 5 * time.Minute
	// LinkLasts is how long a link that logs in once is good for.
	LinkLasts = 10 * time.Minute
)

// The reasons for which somebody is not let in.
var (
	// ErrDenied: the name or the password is wrong, or the secret is nobody's.
	ErrDenied = errors.New("the name or the password is wrong")
	// ErrNoUsers: the configuration has nobody who could log in by a link.
	ErrNoUsers = errors.New("the configuration has no user in server.admin")
)

// LockedError says how long an address has to wait after wrong passwords.
type LockedError struct{ Wait time.Duration }

func (e *LockedError) Error() string {
	return fmt.Sprintf("too many failed logins from this address, try again in %s", e.Wait.Round(time.Second))
}

// People are those who may log in.
type People struct {
	Users    []User
	Provider *Provider // at which others log in; nil: at none
}

// Options are what a Control works with.
type Options struct {
	Store Store
	// People are those of the configuration in force.
	People func() People
	// Transport reaches the provider.
	Transport http.RoundTripper
	Now       func() time.Time
	Logger    *slog.Logger
}

// Control lets people and programs in. It is safe for concurrent use.
type Control struct {
	store       Store
	people      func() People
	now         func() time.Time
	logger      *slog.Logger
	lockouts    *lockouts
	checker     *checker
	discoveries *discoveries
}

// New makes a Control.
func New(o Options) *Control {
	return &Control{
		store: o.Store, people: o.People, now: o.Now, logger: o.Logger,
		lockouts: newLockouts(), checker: newChecker(o.Now), discoveries: newDiscoveries(o.Transport),
	}
}

// Enabled reports whether anybody can log in.
func (c *Control) Enabled() bool {
	p := c.people()
	return len(p.Users) > 0 || p.Provider != nil
}

// HasPasswords reports whether anybody logs in with a password.
func (c *Control) HasPasswords() bool { return len(c.people().Users) > 0 }

// user finds a user of the configuration by name.
func (c *Control) user(name string) (User, bool) {
	for _, u := range c.people().Users {
		if u.Name == name {
			return u, true
		}
	}
	return User{}, false
}

// Password checks a name and password that come from an address: ErrDenied, a
// *LockedError, or the context's end while others are being checked.
func (c *Control) Password(ctx context.Context, name, password string, from netip.Addr) (Visitor, error) {
	u, err := c.checked(ctx, name, password, from)
	if err != nil {
		return Visitor{}, err
	}
	return Visitor{Name: u.Name, Role: u.Role}, nil
}

// checked is the user of the configuration whose name and password are given:
// errors as Password.
func (c *Control) checked(ctx context.Context, name, password string, from netip.Addr) (User, error) {
	now := c.now()
	if wait := c.lockouts.wait(from, now); wait > 0 {
		return User{}, &LockedError{wait}
	}
	u, known := c.user(name)
	if !known {
		u = decoy(c.people().Users)
	}
	ok, err := c.checker.matches(ctx, u, password)
	if err != nil {
		return User{}, err
	}
	if !known || !ok {
		c.lockouts.failed(from, now)
		return User{}, ErrDenied
	}
	c.lockouts.succeeded(from)
	return u, nil
}

// TriesLeft is how many wrong passwords an address may still give before it has
// to wait.
func (c *Control) TriesLeft(from netip.Addr) int { return c.lockouts.left(from) }

// LogIn begins a session for who gives a name and password, and returns the secret
// for his browser: errors as Password. The session is bound to the password that was
// checked, also where a reload changes it in between.
func (c *Control) LogIn(ctx context.Context, name, password string, from netip.Addr) (secret string, expires time.Time, err error) {
	u, err := c.checked(ctx, name, password, from)
	if err != nil {
		return "", time.Time{}, err
	}
	return c.begin(u, nil, sessionIdle, sessionMost)
}

// begin begins a session of a user of the configuration, or of who logged in at a
// provider.
func (c *Control) begin(u User, who *identity, idle, most time.Duration) (secret string, expires time.Time, err error) {
	secret, hash := newSecret("")
	now := c.now()
	s := event.Session{Hash: hash, User: u.Name, Created: now, Seen: now, Expires: now.Add(idle)}
	if who == nil {
		s.Fingerprint = u.fingerprint(secret)
	} else if s.Identity, err = json.Marshal(who); err != nil {
		return "", time.Time{}, err
	}
	if err := c.store.AddSession(s); err != nil {
		return "", time.Time{}, err
	}
	return secret, now.Add(most), nil
}

// Session is who a browser's secret stands for: ErrDenied for a secret that is
// nobody's, or no longer good, or of a user whom the configuration lacks now or gives
// another password.
func (c *Control) Session(ctx context.Context, secret string) (Visitor, error) {
	if secret == "" {
		return Visitor{}, ErrDenied
	}
	hash := hashOf(secret)
	s, err := c.store.Session(ctx, hash)
	if errors.Is(err, event.ErrNotFound) {
		return Visitor{}, ErrDenied
	}
	if err != nil {
		return Visitor{}, err
	}
	now := c.now()
	role, admitted, most := c.roleOf(s, secret)
	if !admitted || !now.Before(s.Expires) {
		return Visitor{}, ErrDenied
	}
	if now.Sub(s.Seen) > seenEvery {
		until := now.Add(sessionIdle)
		if end := s.Created.Add(most); until.After(end) {
			until = end
		}
		if err := c.store.SessionSeen(hash, now, until); err != nil {
			c.logger.WarnContext(ctx, "the use of a session could not be noted", "error", err)
		}
	}
	return Visitor{Name: s.User, Role: role}, nil
}

// roleOf is what the user of a session may do by the configuration in force, if he is
// let in at all, and how long his sessions last at most.
func (c *Control) roleOf(s event.Session, secret string) (role Role, admitted bool, most time.Duration) {
	if len(s.Identity) == 0 {
		u, known := c.user(s.User)
		return u.Role, known && hmac.Equal(s.Fingerprint, u.fingerprint(secret)), sessionMost
	}
	var who identity
	if err := json.Unmarshal(s.Identity, &who); err != nil {
		return "", false, 0
	}
	role, admitted = c.Provider().admits(who)
	return role, admitted, providerSession
}

// End ends a session; one that is gone already is fine.
func (c *Control) End(secret string) error { return c.store.EndSession(hashOf(secret)) }

// EndAll ends all sessions of a user.
func (c *Control) EndAll(user string) error { return c.store.EndSessions(user) }

// Link makes the secret of a link that logs in once, within LinkLasts: as user,
// or as the first operator where that is empty.
func (c *Control) Link(user string) (secret, name string, err error) {
	users := c.people().Users
	if len(users) == 0 {
		return "", "", ErrNoUsers
	}
	name = user
	if user == "" {
		name = users[0].Name
		for _, u := range users {
			if u.Role == Operator {
				name = u.Name
				break
			}
		}
	} else if _, known := c.user(user); !known {
		return "", "", fmt.Errorf("user %q: %w", user, event.ErrNotFound)
	}
	secret, hash := newSecret("")
	return secret, name, c.store.AddLoginLink(hash, name, c.now().Add(LinkLasts))
}

// Follow begins a session for who follows a link that logs in once: ErrDenied
// for a link that never was, event.ErrUsed for one that was followed before or
// whose time is over.
func (c *Control) Follow(ctx context.Context, secret string) (session string, expires time.Time, err error) {
	name, err := c.store.UseLoginLink(ctx, hashOf(secret), c.now())
	if errors.Is(err, event.ErrNotFound) {
		return "", time.Time{}, ErrDenied
	}
	if err != nil {
		return "", time.Time{}, err
	}
	u, known := c.user(name)
	if !known {
		return "", time.Time{}, ErrDenied
	}
	return c.begin(u, nil, sessionIdle, sessionMost)
}

// tokenPrefix is what tokens begin with, so that scanners for leaked secrets
// know one.
const tokenPrefix = "hgt_"

// NewToken makes a token. Its secret is shown this once.
func (c *Control) NewToken(id event.AuditID, name string, scope event.Scope, expires time.Time) (event.Token, string, error) {
	secret, hash := newSecret(tokenPrefix)
	t := event.Token{ID: id, Name: name, Scope: scope, Hash: hash, Expires: expires}
	return t, secret, c.store.AddToken(t)
}

// Tokens are all tokens, the newest first.
func (c *Control) Tokens(ctx context.Context) ([]event.Token, error) { return c.store.Tokens(ctx) }

// RevokeToken ends a token: event.ErrNotFound where there is none.
func (c *Control) RevokeToken(id event.AuditID) error { return c.store.RevokeToken(id) }

// Token is who a program's secret stands for: ErrDenied as Session. Guesses of
// an address are slowed down like those of passwords.
func (c *Control) Token(ctx context.Context, secret string, from netip.Addr) (Visitor, error) {
	now := c.now()
	if wait := c.lockouts.wait(from, now); wait > 0 {
		return Visitor{}, &LockedError{wait}
	}
	t, err := event.Token{}, event.ErrNotFound
	if strings.HasPrefix(secret, tokenPrefix) {
		t, err = c.store.TokenOf(ctx, hashOf(secret))
	}
	if errors.Is(err, event.ErrNotFound) || err == nil && !t.Expires.IsZero() && !now.Before(t.Expires) {
		c.lockouts.failed(from, now)
		return Visitor{}, ErrDenied
	}
	if err != nil {
		return Visitor{}, err
	}
	if now.Sub(t.Used) > seenEvery {
		if err := c.store.TokenUsed(t.ID, now); err != nil {
			c.logger.WarnContext(ctx, "the use of a token could not be noted", "error", err)
		}
	}
	role := Viewer
	if t.Scope == event.ScopeOperate {
		role = Operator
	}
	return Visitor{Name: "token " + t.Name, Role: role}, nil
}

func newSecret(prefix string) (secret string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	secret = prefix + base64.RawURLEncoding.EncodeToString(raw)
	return secret, hashOf(secret)
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
