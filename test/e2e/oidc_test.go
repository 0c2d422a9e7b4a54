package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookgate/test/fakeoidc"
	"hookgate/test/lab"
)

// startOIDC is a gate whose people log in at a provider, with more settings of it.
func startOIDC(t *testing.T, p *fakeoidc.Provider, settings string) *lab.Gate {
	t.Helper()
	g := lab.New(t, "sources: { s: { type: webhook, token: 0123456789abcdef } }\n")
	g.Env = append(g.Env, "OIDC_SECRET="+fakeoidc.ClientSecret)
	g.Extra = oidcSettings(p, settings)
	g.Start()
	return g
}

func oidcSettings(p *fakeoidc.Provider, settings string) string {
	return fmt.Sprintf("  admin: { oidc: { issuer: %q, client_id: %s, client_secret: \"${OIDC_SECRET}\", label: Agency, %s } }\n", p.Issuer, fakeoidc.ClientID, settings)
}

// follow goes where an answer leads, to the provider and back, and gives the last
// answer that leads nowhere else.
func (v *visitor) follow(path string) (code int, at, page string) {
	v.t.Helper()
	at = v.base + path
	for range 6 {
		r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, at, http.NoBody)
		if err != nil {
			v.t.Fatal(err)
		}
		code, header, page := v.answer(r)
		if header.Get("Location") == "" {
			return code, strings.TrimPrefix(at, v.base), page
		}
		next, err := r.URL.Parse(header.Get("Location"))
		if err != nil {
			v.t.Fatal(err)
		}
		at = next.String()
	}
	v.t.Fatal("it goes round in circles: " + at)
	return 0, "", ""
}

// Who may log in at the provider is let in by address or group, as viewer or operator,
// and to the page that he came for.
//
// Promise: T13.
func TestOIDC(t *testing.T) {
	t.Parallel()
	p := fakeoidc.Start(t)
	p.Info = map[string]any{"sub": "subject-1", "email": "mia@agency.example", "email_verified": "true", "groups": "staff"}
	g := startOIDC(t, p, `domains: [Agency.example], groups: [staff], operators: [ada@agency.example, lead]`)
	for _, c := range []struct {
		name   string
		claims map[string]any
		user   string // "": not let in
		acts   bool
	}{
		{"an address of the domain", map[string]any{"email": "Vera@AGENCY.example", "email_verified": true}, "vera@agency.example", false},
		{"an operator by address", map[string]any{"email": "ada@agency.example", "email_verified": true}, "ada@agency.example", true},
		{"an operator by group", map[string]any{"email": "bo@agency.example", "email_verified": true, "groups": []string{"other", "lead"}}, "bo@agency.example", true},
		{"by group, without an address that is verified", map[string]any{"preferred_username": "zoe", "groups": []string{"staff"}, "email": "ada@agency.example"}, "zoe at Agency", false},
		{"by userinfo alone", map[string]any{}, "mia@agency.example", false},
		{"another domain", map[string]any{"email": "eve@evil.example", "email_verified": true, "groups": []string{"x"}}, "", false},
		{"a subdomain", map[string]any{"email": "eve@x.agency.example", "email_verified": true, "groups": []string{"x"}}, "", false},
		{"two addresses in one", map[string]any{"email": "eve@evil.example@agency.example", "email_verified": true, "groups": []string{"x"}, "sub": "other"}, "", false},
	} {
		p.Claims = c.claims
		p.Info["email"] = "mia@agency.example"
		if c.user == "zoe at Agency" {
			p.Info["email"] = nil
		}
		v := newVisitor(t, g)
		code, at, page := v.follow("/ui/login/oidc?to=" + url.QueryEscape("/ui/connections?x=1"))
		if c.user == "" {
			if code == http.StatusOK || strings.Contains(page, "Sign out") {
				t.Errorf("%s: %d at %s", c.name, code, at)
			}
			if code, _, _ := v.do("GET", "/ui/events", nil); code != http.StatusSeeOther {
				t.Errorf("%s: is let in all the same: %d", c.name, code)
			}
			continue
		}
		if code != http.StatusOK || at != "/ui/connections?x=1" || !strings.Contains(page, c.user) {
			t.Errorf("%s: %d at %s, without %s: %s", c.name, code, at, c.user, page)
			continue
		}
		want := http.StatusForbidden
		if c.acts {
			want = http.StatusSeeOther
		}
		if code, _, _ := v.do("POST", "/ui/config/reload", url.Values{"csrf": {v.csrf()}}); code != want {
			t.Errorf("%s: acting is %d, want %d", c.name, code, want)
		}
	}
	if log := g.Stderr(); strings.Contains(log, fakeoidc.ClientSecret) {
		t.Error("the log holds the client's secret")
	}
}

// A token that anything is wrong with lets nobody in.
//
// Promise: T13.
func TestOIDC_forged(t *testing.T) {
	t.Parallel()
	p := fakeoidc.Start(t)
	g := startOIDC(t, p, "domains: [agency.example]")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ada := map[string]any{"email": "ada@agency.example", "email_verified": true}
	with := func(key string, value any) map[string]any {
		return map[string]any{"email": "ada@agency.example", "email_verified": true, key: value}
	}
	for _, c := range []struct {
		name   string
		claims map[string]any
		sign   func(jwt.MapClaims) (string, error)
	}{
		{"nothing wrong", ada, nil},
		{"unverified", with("email_verified", false), nil},
		{"of another login", with("nonce", "x"), nil},
		{"for another client", with("aud", "another"), nil},
		{"of another issuer", with("iss", "https://evil.example"), nil},
		{"expired", with("exp", time.Now().Add(-time.Hour).Unix()), nil},
		{"signed by another key", ada, func(c jwt.MapClaims) (string, error) {
			return jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(other)
		}},
		{"signed by the client's secret", ada, func(c jwt.MapClaims) (string, error) {
			return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(fakeoidc.ClientSecret))
		}},
		{"not signed", ada, func(c jwt.MapClaims) (string, error) {
			return jwt.NewWithClaims(jwt.SigningMethodNone, c).SignedString(jwt.UnsafeAllowNoneSignatureType)
		}},
		{"no token", ada, func(jwt.MapClaims) (string, error) { return "", nil }},
	} {
		p.Claims, p.Sign = c.claims, c.sign
		v := newVisitor(t, g)
		code, at, page := v.follow("/ui/login/oidc")
		if good := c.name == "nothing wrong"; good != (code == http.StatusOK && strings.Contains(page, "Sign out")) {
			t.Errorf("%s: %d at %s: %s", c.name, code, at, page)
		}
		p.Claims, p.Sign = ada, nil
		newVisitor(t, g).follow("/ui/login/oidc") // so that nobody is locked out
	}
}

// A login ends in the browser in which it began, once, and an answer that belongs to
// none is told what to do. What the provider refuses, or does not answer, is said.
//
// Promise: T13.
func TestOIDC_attempts(t *testing.T) {
	t.Parallel()
	p := fakeoidc.Start(t)
	p.Claims = map[string]any{"email": "ada@agency.example", "email_verified": true}
	g := startOIDC(t, p, "domains: [agency.example]")

	p.Down = true
	code, _, page := newVisitor(t, g).follow("/ui/login/oidc")
	if code != http.StatusServiceUnavailable || !strings.Contains(page, "does not answer") {
		t.Errorf("the provider is down: %d %s", code, page)
	}
	p.Down = false

	victim, attacker := newVisitor(t, g), newVisitor(t, g)
	_, header, _ := attacker.do("GET", "/ui/login/oidc", nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, header.Get("Location"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, header, _ = attacker.answer(r)
	callback := strings.TrimPrefix(header.Get("Location"), g.URL)
	if code, _, page := victim.do("GET", callback, nil); code != http.StatusBadRequest || !strings.Contains(page, "Try once more") {
		t.Errorf("the answer of another browser's login: %d %s", code, page)
	}
	if code, _, _ := attacker.do("GET", callback+"x", nil); code == http.StatusSeeOther {
		t.Error("a code that the provider did not give lets in")
	}
	if code, _, _ := attacker.do("GET", callback, nil); code == http.StatusSeeOther {
		t.Error("an attempt serves twice")
	}
	p.Refuse = "access_denied"
	if code, _, page := victim.follow("/ui/login/oidc"); code != http.StatusBadRequest || !strings.Contains(page, "was ended") {
		t.Errorf("refused by the provider: %d %s", code, page)
	}
	p.Refuse = ""
	if code, at, _ := victim.follow("/ui/login/oidc?to=//evil.example/"); code != http.StatusOK || at != "/ui/start" {
		t.Errorf("a link away: %d at %s", code, at)
	}
	for range 6 {
		attacker.do("GET", "/ui/login/oidc/callback?state=x&code=y", nil)
	}
	if code, _, page := attacker.follow("/ui/login/oidc"); code != http.StatusTooManyRequests || !strings.Contains(page, "Too many tries") {
		t.Errorf("after six answers to no login: %d", code)
	}
}

// Who is let in is asked of the configuration in force at each request: who is not any
// more is out at once.
func TestOIDC_reload(t *testing.T) {
	t.Parallel()
	p := fakeoidc.Start(t)
	p.Claims = map[string]any{"email": "ada@agency.example", "email_verified": true}
	g := startOIDC(t, p, "domains: [agency.example]")
	v := newVisitor(t, g)
	if code, _, page := v.follow("/ui/login/oidc"); code != http.StatusOK {
		t.Fatal(code, page)
	}
	_, _, page := newVisitor(t, g).do("GET", "/ui/login", nil)
	if !strings.Contains(page, `href="`+g.URL+`/ui/login/oidc?to=%2Fui%2F"`) || !strings.Contains(page, "Sign in with Agency") || strings.Contains(page, "password") {
		t.Errorf("the login page: %s", page)
	}
	g.Kill()
	g.Start()
	if code, _, _ := v.do("GET", "/ui/events", nil); code != http.StatusOK {
		t.Errorf("after a restart: %d", code)
	}
	g.Extra = oidcSettings(p, "domains: [other.example]")
	g.WriteConfig(g.Header() + "sources: { s: { type: webhook, token: 0123456789abcdef } }\n")
	lab.Eventually(t, "ada is out", func() bool {
		code, _, _ := v.do("GET", "/ui/events", nil)
		return code == http.StatusSeeOther
	})
	if got := g.CLI("login"); got.Code == 0 || !strings.Contains(got.Stderr, "server.admin has none") {
		t.Errorf("login: %+v", got)
	}
	g.Extra = ""
	g.WriteConfig(g.Header() + "sources: { s: { type: webhook, token: 0123456789abcdef } }\n")
	lab.Eventually(t, "nobody can log in", func() bool {
		code, _, _ := v.do("GET", "/ui/login/oidc", nil)
		return code == http.StatusNotFound
	})
}
