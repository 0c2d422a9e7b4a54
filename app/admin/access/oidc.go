package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"hookgate/internal/egress"
	"hookgate/internal/event"
)

// Provider is an OpenID Connect provider at which people log in, and says whom of
// them it lets in here.
type Provider struct {
	Issuer       string
	ClientID     string
	ClientSecret event.Secret
	Name         string // what the page calls it
	Scopes       []string
	// Domains are those of addresses that are let in; Groups are those whose
	// members are. One of them is not empty.
	Domains, Groups []string
	GroupsClaim     string
	// Operators are the groups and addresses who may act. All who are let in may
	// where it is empty.
	Operators []string
}

// identity is who logged in at a provider, as far as it matters here. It is stored
// with the session and judged anew by the configuration in force at each request.
type identity struct {
	Issuer string `json:"issuer"`
	// Email is in lower case, and empty unless the provider says that it is verified:
	// at some, people write any address into their profile.
	Email  string   `json:"email,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

// admits says whether somebody is let in, and as what.
func (p *Provider) admits(who identity) (Role, bool) {
	if p == nil || who.Issuer != p.Issuer {
		return "", false
	}
	_, domain, _ := strings.Cut(who.Email, "@")
	sameFold := func(list []string, text string) bool {
		return text != "" && slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) })
	}
	inGroup := func(list []string) bool {
		return slices.ContainsFunc(who.Groups, func(g string) bool { return slices.Contains(list, g) })
	}
	if !sameFold(p.Domains, domain) && !inGroup(p.Groups) {
		return "", false
	}
	if len(p.Operators) == 0 || sameFold(p.Operators, who.Email) || inGroup(p.Operators) {
		return Operator, true
	}
	return Viewer, true
}

const (
	// signInTime bounds a request to the provider; somebody waits for it.
	signInTime = 10 * time.Second
	// AttemptLasts is how long somebody may take to log in at the provider.
	AttemptLasts = 10 * time.Minute
	// providerSession is how long a session lasts that began at a provider: who lost
	// his account there is out here within a day.
	providerSession = 24 * time.Hour
)

// The reasons for which a login at a provider fails, besides ErrDenied.
var (
	// ErrNoProvider: the configuration has none.
	ErrNoProvider = errors.New("the configuration has no server.admin.oidc")
	// ErrProvider: the provider did not answer, or not as it should.
	ErrProvider = errors.New("the provider does not answer as it should")
)

// NotAdmittedError says that somebody is known to the provider and not let in here.
type NotAdmittedError struct{ Name string }

func (e *NotAdmittedError) Error() string { return e.Name + " is not let in" }

// Attempt is a login at a provider that has begun. The browser keeps it, so that
// only the browser in which it began ends it (RFC 6749, section 10.12).
type Attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // RFC 7636
	To       string `json:"to"`       // the page to go to
}

// Answer is what a provider sends the browser back with.
type Answer struct{ State, Code, Error string }

// Provider is the one of the configuration in force, nil where there is none.
func (c *Control) Provider() *Provider { return c.people().Provider }

// discoveries keeps what a provider says of itself. It is safe for concurrent use.
type discoveries struct {
	client *http.Client
	asking singleflight.Group // all who wait for one provider wait for one answer

	mu      sync.Mutex
	issuer  string
	current *oidc.Provider // of issuer; nil: to be asked
}

// newDiscoveries asks by a transport. A redirect would carry the client's secret to a
// place that nobody named.
func newDiscoveries(transport http.RoundTripper) *discoveries {
	return &discoveries{client: &http.Client{Transport: transport, Timeout: signInTime, CheckRedirect: egress.NoRedirect}}
}

// of is what the issuer says of itself, asked once.
func (d *discoveries) of(ctx context.Context, issuer string) (*oidc.Provider, error) {
	d.mu.Lock()
	known := d.current
	if d.issuer != issuer {
		known = nil
	}
	d.mu.Unlock()
	if known != nil {
		return known, nil
	}
	answer := d.asking.DoChan(issuer, func() (any, error) {
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), d.client), issuer)
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.issuer, d.current = issuer, found
		return found, nil
	})
	select {
	case result := <-answer:
		found, _ := result.Val.(*oidc.Provider)
		return found, result.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Reach asks a provider, by a transport, what it says of itself.
func (p *Provider) Reach(ctx context.Context, transport http.RoundTripper) error {
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	_, err := newDiscoveries(transport).of(ctx, p.Issuer)
	return err
}

// forget has the provider asked anew: what it said of itself may not hold any more.
func (d *discoveries) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = nil
}

// client is what a provider is asked with; callback is where it sends the browser back.
func (c *Control) client(ctx context.Context, callback string) (*Provider, *oidc.Provider, *oauth2.Config, error) {
	p := c.Provider()
	if p == nil {
		return nil, nil, nil, ErrNoProvider
	}
	found, err := c.discoveries.of(ctx, p.Issuer)
	if err != nil {
		return nil, nil, nil, c.providerFault(ctx, p, err)
	}
	return p, found, &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Endpoint: found.Endpoint(),
		RedirectURL: callback, Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, p.Scopes...),
	}, nil
}

// providerFault logs why a login could not be ended, which is for operators and not
// for who logs in.
func (c *Control) providerFault(ctx context.Context, p *Provider, err error) error {
	err = egress.Cause(err)
	c.logger.WarnContext(ctx, "a login at the provider failed", "issuer", p.Issuer, "error", err)
	c.discoveries.forget()
	return fmt.Errorf("%w: %w", ErrProvider, err)
}

// SignIn begins a login at the provider: the browser keeps the attempt and goes to url.
func (c *Control) SignIn(ctx context.Context, callback, to string) (url string, attempt Attempt, err error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.discoveries.client), signInTime)
	defer cancel()
	_, _, config, err := c.client(ctx, callback)
	if err != nil {
		return "", Attempt{}, err
	}
	attempt = Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to}
	return config.AuthCodeURL(attempt.State, oidc.Nonce(attempt.Nonce), oauth2.S256ChallengeOption(attempt.Verifier)), attempt, nil
}

// SignedIn begins a session for who comes back from the provider: ErrDenied for an
// answer to no attempt of this browser, a *NotAdmittedError, a *LockedError, or
// ErrProvider.
func (c *Control) SignedIn(ctx context.Context, attempt Attempt, answer Answer, callback string, from netip.Addr) (secret string, expires time.Time, err error) {
	if wait := c.lockouts.wait(from, c.now()); wait > 0 {
		return "", time.Time{}, &LockedError{wait}
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.discoveries.client), signInTime)
	defer cancel()
	secret, expires, err = c.signedIn(ctx, attempt, answer, callback)
	if err != nil {
		c.lockouts.failed(from, c.now()) // each try has the provider asked
		return "", time.Time{}, err
	}
	c.lockouts.succeeded(from)
	return secret, expires, nil
}

func (c *Control) signedIn(ctx context.Context, attempt Attempt, answer Answer, callback string) (secret string, expires time.Time, err error) {
	if attempt.State == "" || attempt.State != answer.State {
		return "", time.Time{}, ErrDenied
	}
	p, found, config, err := c.client(ctx, callback)
	if err != nil {
		return "", time.Time{}, err
	}
	if answer.Error != "" || answer.Code == "" {
		c.logger.WarnContext(ctx, "the provider let nobody in", "issuer", p.Issuer, "error", answer.Error)
		return "", time.Time{}, ErrDenied
	}
	name, who, err := c.ask(ctx, p, found, config, attempt, answer.Code)
	if err != nil {
		return "", time.Time{}, c.providerFault(ctx, p, err)
	}
	if _, ok := p.admits(who); !ok {
		c.logger.WarnContext(ctx, "somebody whom the provider knows is not let in", "issuer", p.Issuer, "user", name, "verified_email", who.Email)
		return "", time.Time{}, &NotAdmittedError{Name: name}
	}
	return c.begin(User{Name: name}, &who, providerSession, providerSession)
}

// claims are those of an ID token or of the userinfo endpoint (OpenID Connect Core
// 1.0, section 5.1).
type claims struct {
	Email    string   `json:"email"`
	Verified verified `json:"email_verified"`
	Username string   `json:"preferred_username"`
	other    map[string]any
}

// verified is true or false, which some providers write as a text.
type verified bool

func (v *verified) UnmarshalJSON(text []byte) error {
	*v = verified(strings.Trim(string(text), `"`) == "true")
	return nil
}

// claimed reads claims twice: those that have a name here, and all.
func claimed(from interface{ Claims(v any) error }) (c claims, err error) {
	if err := from.Claims(&c); err != nil {
		return c, err
	}
	return c, from.Claims(&c.other)
}

// ask has the provider say who logged in. What the ID token does not say is asked of
// the userinfo endpoint, where there is one.
func (c *Control) ask(ctx context.Context, p *Provider, found *oidc.Provider, config *oauth2.Config, attempt Attempt, code string) (name string, who identity, err error) {
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(attempt.Verifier))
	if err != nil {
		return "", who, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.ClientID, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return "", who, err
	}
	if id.Nonce != attempt.Nonce {
		return "", who, errors.New("its token answers another login")
	}
	said, err := claimed(id)
	if err != nil {
		return "", who, err
	}
	who = p.identify(said)
	if found.UserInfoEndpoint() != "" && (who.Email == "" || len(p.Groups)+len(p.Operators) > 0 && said.other[p.GroupsClaim] == nil) {
		info, err := found.UserInfo(ctx, config.TokenSource(ctx, token))
		if err != nil {
			return "", who, err
		}
		if info.Subject != id.Subject {
			return "", who, errors.New("its userinfo is about somebody else")
		}
		more, err := claimed(info)
		if err != nil {
			return "", who, err
		}
		other := p.identify(more)
		who.Email = cmp.Or(who.Email, other.Email)
		if said.other[p.GroupsClaim] == nil {
			who.Groups = other.Groups
		}
	}
	name = who.Email
	if name == "" { // what people may choose themselves is no name of a user here
		name = cmp.Or(said.Username, id.Subject) + " at " + p.Name
	}
	return name, who, nil
}

// identify keeps of the claims what admits asks for.
func (p *Provider) identify(c claims) identity {
	who := identity{Issuer: p.Issuer}
	if c.Verified && strings.Count(c.Email, "@") == 1 {
		who.Email = strings.ToLower(c.Email)
	}
	wanted := func(group any) {
		if name, ok := group.(string); ok && (slices.Contains(p.Groups, name) || slices.Contains(p.Operators, name)) {
			who.Groups = append(who.Groups, name)
		}
	}
	switch groups := c.other[p.GroupsClaim].(type) {
	case string:
		wanted(groups)
	case []any:
		for _, g := range groups {
			wanted(g)
		}
	}
	return who
}
