package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookgate/app/admin/access"
	"hookgate/internal/event"
)

// LoginRequest asks for a link that logs in once: as User, or as the first
// operator of the configuration.
type LoginRequest struct {
	User string `json:"user,omitempty"`
}

// LoginLink logs in once, until Expires.
type LoginLink struct {
	User    string    `json:"user"`
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// LoginLink makes a link that logs in once.
func (s *Service) LoginLink(_ context.Context, r LoginRequest) (LoginLink, error) {
	expires := s.opt.Now().Add(access.LinkLasts)
	secret, user, err := s.opt.Access.Link(r.User)
	if errors.Is(err, access.ErrNoUsers) {
		return LoginLink{}, refuse("a link logs in a user of the configuration, and server.admin has none: write user and password, or users")
	}
	if err != nil {
		return LoginLink{}, missing(err, "the configuration has no user %q in server.admin", r.User)
	}
	return LoginLink{User: user, URL: s.inForce().BaseURL + "/ui/login/" + secret, Expires: expires.UTC()}, nil
}

// TokenRequest asks for a token of a program.
type TokenRequest struct {
	Name    string      `json:"name"`
	Scope   event.Scope `json:"scope"`             // read, operate
	Expires *time.Time  `json:"expires,omitempty"` // none: never
}

// Token lets a program use the API. Secret is there once, when it is made.
type Token struct {
	ID      event.AuditID `json:"id"`
	Name    string        `json:"name"`
	Scope   event.Scope   `json:"scope"`
	Created time.Time     `json:"created"`
	Expires *time.Time    `json:"expires,omitempty"`
	Used    *time.Time    `json:"used,omitempty"` // to some minutes
	Secret  string        `json:"secret,omitempty"`
}

// maxTokenName bounds a token's name, in bytes.
const maxTokenName = 100

// CreateToken makes a token.
func (s *Service) CreateToken(ctx context.Context, r TokenRequest) (Token, error) {
	name := strings.TrimSpace(r.Name)
	switch {
	case name == "" || len(name) > maxTokenName || strings.ContainsAny(name, "\r\n\t"):
		return Token{}, refuse("a token needs a name of at most %d characters, in one line", maxTokenName)
	case r.Scope != event.ScopeRead && r.Scope != event.ScopeOperate:
		return Token{}, refuse("a token's scope is read or operate, not %q", r.Scope)
	case r.Expires != nil && !r.Expires.After(s.opt.Now()):
		return Token{}, refuse("the token would have expired already")
	}
	var expires time.Time
	if r.Expires != nil {
		expires = *r.Expires
	}
	t, secret, err := s.opt.Access.NewToken(event.AuditID(s.store.NewIDs(1)), name, r.Scope, expires)
	if err != nil {
		return Token{}, fmt.Errorf("cannot make a token: %w", err)
	}
	s.opt.Logger.InfoContext(ctx, "a token was made", "token", t.ID, "name", name, "scope", r.Scope, "by", actor(ctx))
	out := tokenOf(&t)
	out.Secret = secret
	return out, nil
}

// Tokens lists the tokens, the newest first.
func (s *Service) Tokens(ctx context.Context) (page Page[Token], err error) {
	list, err := s.opt.Access.Tokens(ctx)
	if err != nil {
		return page, fmt.Errorf("cannot list the tokens: %w", err)
	}
	page.Items = make([]Token, len(list))
	for i := range list {
		page.Items[i] = tokenOf(&list[i])
	}
	return page, nil
}

// RevokeToken ends a token, at once.
func (s *Service) RevokeToken(ctx context.Context, id event.AuditID) (Token, error) {
	if err := s.opt.Access.RevokeToken(id); err != nil {
		return Token{}, missing(err, "there is no token %s", id)
	}
	s.opt.Logger.InfoContext(ctx, "a token was revoked", "token", id, "by", actor(ctx))
	return Token{ID: id}, nil
}

func tokenOf(t *event.Token) Token {
	out := Token{ID: t.ID, Name: t.Name, Scope: t.Scope, Created: t.ID.Time().UTC()}
	if !t.Expires.IsZero() {
		out.Expires = &t.Expires
	}
	if !t.Used.IsZero() {
		out.Used = &t.Used
	}
	return out
}
