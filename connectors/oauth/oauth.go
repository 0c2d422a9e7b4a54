// Package oauth gets access tokens for connections: by OAuth 2.0 client
// credentials (RFC 6749, section 4.4) or by a signed JWT (RFC 7523), which is
// also how Google's service accounts and Salesforce's connected apps log in.
//
// A Source keeps its token until it expires or until the receiver refuses it.
// However many deliveries need one at the same time, one request is made.
package oauth

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"hookgate/internal/egress"
)

// jwtBearer is the grant of RFC 7523, section 2.1.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer" //nolint:gosec // a name, not a credential

// early is how long before its end a token is no longer used, so that it does
// not end on its way.
const early = 30 * time.Second

// maxLifetime bounds what a receiver may say of a token's life, in seconds.
const maxLifetime = 365 * 24 * 60 * 60

// extras are the fields beside the token that are kept, where a receiver sends
// them: where to send requests to (Salesforce, Pipedrive), and for what.
var extras = []string{"instance_url", "api_domain", "scope", "id"}

// Config says where tokens come from and what is shown for them.
type Config struct {
	TokenURL     string
	ClientID     string
	ClientSecret string
	// InHeader sends the client's id and secret by HTTP Basic; otherwise they
	// are in the form, which more receivers take.
	InHeader bool
	Scopes   []string
	Params   url.Values // more fields of the form, such as audience
	// Assertion, where set, is shown in place of the client's secret.
	Assertion *Assertion
}

// Token is an access token. Its texts are secrets.
type Token struct {
	Value string
	// Extra is what vendors add to it, as far as extras names it: Salesforce's
	// instance_url, say.
	Extra map[string]any
}

// Source gives access tokens. It is safe for concurrent use.
type Source struct {
	config Config
	client *http.Client
	now    func() time.Time
	// turn has room for one: whoever holds it may ask for a token.
	turn chan struct{}

	mu      sync.Mutex // guards what follows
	token   Token
	until   time.Time // the token's end; zero: it is not known
	asked   int       // requests that got an answer, so that those who waited for one share its failure
	failure error     // of the last of them; nil: it gave a token
}

// New makes a Source that asks by transport, which must be guarded. It
// connects to nothing.
func New(config Config, transport http.RoundTripper, now func() time.Time) *Source {
	return &Source{
		config: config, now: now, turn: make(chan struct{}, 1),
		client: &http.Client{Transport: withoutMark{transport}, CheckRedirect: egress.NoRedirect},
	}
}

// withoutMark takes a byte order mark off the answers: PHP sites begin their
// JSON with one, which readers of JSON refuse.
type withoutMark struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t withoutMark) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body := bufio.NewReader(resp.Body)
	if start, _ := body.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		_, _ = body.Discard(len(byteOrderMark))
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	return resp, nil
}

const byteOrderMark = "\ufeff"

// Token gives a token that has not expired. When a request is necessary it
// ends with ctx. The error is an *Error when the receiver answered; otherwise
// it is the transport's, without the URL.
func (s *Source) Token(ctx context.Context) (Token, error) {
	token, asked, ok := s.cached()
	if ok {
		return token, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
	if token, _, ok = s.cached(); ok {
		return token, nil
	}
	if err := s.failedSince(asked); err != nil {
		return Token{}, err
	}
	return s.ask(ctx)
}

// Drop forgets token, which a receiver refused, unless another one has taken
// its place already. The next call of Token asks for a new one.
func (s *Source) Drop(token Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.Value == token.Value {
		s.token = Token{}
	}
}

// cached is the token at hand, if it is still good, and how many requests
// there were so far.
func (s *Source) cached() (Token, int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	good := s.token.Value != "" && (s.until.IsZero() || s.now().Before(s.until))
	return s.token, s.asked, good
}

// failedSince is the failure of a request that was answered after there had
// been asked requests.
func (s *Source) failedSince(asked int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == asked {
		return nil
	}
	return s.failure
}

// ask makes one request and keeps what it gave.
func (s *Source) ask(ctx context.Context) (Token, error) {
	token, lifetime, err := s.request(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil { // what ended with one caller is no word to the others
			s.asked++
			s.failure = err
		}
		return Token{}, err
	}
	s.asked++
	s.token, s.until, s.failure = token, time.Time{}, nil
	if lifetime > 0 {
		s.until = s.now().Add(lifetime - min(early, lifetime/2))
	}
	return token, nil
}

// request gets a token and how long it lasts; 0: the receiver does not say.
func (s *Source) request(ctx context.Context) (Token, time.Duration, error) {
	config := clientcredentials.Config{
		TokenURL: s.config.TokenURL, ClientID: s.config.ClientID, ClientSecret: s.config.ClientSecret,
		Scopes: s.config.Scopes, EndpointParams: maps.Clone(s.config.Params), AuthStyle: oauth2.AuthStyleInParams,
	}
	if s.config.InHeader {
		config.AuthStyle = oauth2.AuthStyleInHeader
	}
	if a := s.config.Assertion; a != nil {
		signed, err := a.sign(s.now(), s.config)
		if err != nil {
			return Token{}, 0, err
		}
		if config.EndpointParams == nil {
			config.EndpointParams = url.Values{}
		}
		config.EndpointParams.Set("grant_type", jwtBearer)
		config.EndpointParams.Set("assertion", signed)
		// Who asks, and for what, is in the assertion.
		config.ClientID, config.ClientSecret, config.Scopes, config.AuthStyle = "", "", nil, oauth2.AuthStyleInParams
	}
	got, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, s.client))
	if err != nil {
		if ctx.Err() != nil {
			return Token{}, 0, ctx.Err()
		}
		return Token{}, 0, explain(err)
	}
	token := Token{Value: got.AccessToken, Extra: map[string]any{}}
	for _, name := range extras {
		if value := got.Extra(name); value != nil {
			token.Extra[name] = value
		}
	}
	return token, lifetime(got.Extra("expires_in")), nil
}

// lifetime reads expires_in, in seconds; some receivers write it as a text.
func lifetime(seconds any) time.Duration {
	switch x := seconds.(type) {
	case float64:
		return time.Duration(min(max(x, 0), maxLifetime)) * time.Second
	case string:
		if n, err := strconv.ParseFloat(x, 64); err == nil {
			return lifetime(n)
		}
	}
	return 0
}

// Secrets are the texts of the configuration that must not be shown.
func (c *Config) Secrets() []string {
	list := []string{c.ClientSecret}
	for _, values := range c.Params {
		list = append(list, values...)
	}
	if c.Assertion != nil {
		list = append(list, strings.TrimSpace(c.Assertion.PEM))
	}
	return list
}
