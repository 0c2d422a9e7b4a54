package recipe

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors/oauth"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Auth is how one connection logs in.
type Auth struct {
	Header http.Header
	Query  url.Values
	OAuth  *oauth.Config // nil: without a token
}

// auth is one way to log in, for connections that when is true of.
type auth struct {
	when    *lang.Predicate
	user    *lang.Template // Basic
	pass    *lang.Template
	bearer  *lang.Template
	headers *tree
	query   *tree
	grant   *grant
}

// grant is how a token is got.
type grant struct {
	jwt                       bool
	inHeader                  bool
	tokenURL, id, secret      *lang.Template
	issuer, subject, audience *lang.Template
	key, keyID                *lang.Template
	lifetime                  time.Duration
	scopes                    []string
	params                    *tree
}

type authYAML struct {
	When    yamlnode.Text `yaml:"when"`
	None    yamlnode.Node `yaml:"none"`
	Basic   *basicYAML    `yaml:"basic"`
	Bearer  yamlnode.Node `yaml:"bearer"`
	Headers yamlnode.Node `yaml:"headers"`
	Query   yamlnode.Node `yaml:"query"`
	OAuth2  *oauthYAML    `yaml:"oauth2"`
	JWT     *jwtYAML      `yaml:"jwt"`
}

// Noun is what messages call it.
func (authYAML) Noun() string { return "auth" }

type basicYAML struct {
	User     yamlnode.Node `yaml:"user,required"`
	Password yamlnode.Node `yaml:"password"`
}

// Noun is what messages call it.
func (basicYAML) Noun() string { return "basic" }

type oauthYAML struct {
	TokenURL     yamlnode.Node `yaml:"token_url,required"`
	ClientID     yamlnode.Node `yaml:"client_id,required"`
	ClientSecret yamlnode.Node `yaml:"client_secret,required"`
	Scopes       []string      `yaml:"scopes"`
	Params       yamlnode.Node `yaml:"params"`
	In           string        `yaml:"in"`
}

// Noun is what messages call it.
func (oauthYAML) Noun() string { return "oauth2" }

type jwtYAML struct {
	TokenURL   yamlnode.Node `yaml:"token_url,required"`
	Issuer     yamlnode.Node `yaml:"issuer,required"`
	Subject    yamlnode.Node `yaml:"subject"`
	Audience   yamlnode.Node `yaml:"audience"`
	PrivateKey yamlnode.Node `yaml:"private_key,required"`
	KeyID      yamlnode.Node `yaml:"key_id"`
	Scopes     []string      `yaml:"scopes"`
	Lifetime   time.Duration `yaml:"lifetime"`
}

// Noun is what messages call it.
func (jwtYAML) Noun() string { return "jwt" }

// auth reads one way to log in, or a list of them.
func (b *builder) auth(n yamlnode.Node) {
	switch n.Kind() {
	case yamlnode.Null:
	case yamlnode.List:
		for _, item := range n.Items() {
			b.oneAuth(item)
		}
	case yamlnode.Scalar, yamlnode.Map:
		b.oneAuth(n)
	}
}

func (b *builder) oneAuth(n yamlnode.Node) {
	var y authYAML
	b.add(n.Decode("auth", &y)...)
	c := lang.NewCompilerFor(settingsName(b.recipe))
	a := &auth{when: b.predicate(c, y.When)}
	ways := 0
	count := func(given bool) bool {
		if given {
			ways++
		}
		return given
	}
	count(!y.None.IsZero())
	if count(y.Basic != nil) {
		a.user, a.pass = b.text(c, y.Basic.User, nil), b.text(c, y.Basic.Password, nil)
	}
	if count(!y.Bearer.IsZero()) {
		a.bearer = b.text(c, y.Bearer, nil)
	}
	if count(!y.Headers.IsZero()) {
		a.headers = b.tree(c, y.Headers)
	}
	if count(!y.Query.IsZero()) {
		a.query = b.tree(c, y.Query)
	}
	if count(y.OAuth2 != nil) {
		o := y.OAuth2
		a.grant = &grant{
			tokenURL: b.text(c, o.TokenURL, nil), id: b.text(c, o.ClientID, nil), secret: b.text(c, o.ClientSecret, nil),
			scopes: o.Scopes, params: b.tree(c, o.Params), inHeader: o.In == "header",
		}
		if o.In != "" && o.In != "header" && o.In != "form" {
			b.add(n.Get("oauth2").Get("in").Diag("bad-value", "", `"in" is header or form`))
		}
	}
	if count(y.JWT != nil) {
		j := y.JWT
		a.grant = &grant{
			jwt: true, tokenURL: b.text(c, j.TokenURL, nil), issuer: b.text(c, j.Issuer, nil), subject: b.text(c, j.Subject, nil),
			audience: b.text(c, j.Audience, nil), key: b.text(c, j.PrivateKey, nil), keyID: b.text(c, j.KeyID, nil),
			scopes: j.Scopes, lifetime: j.Lifetime,
		}
	}
	if ways == 0 && b.list.Err() == nil {
		b.add(n.Diag("missing-key", "it has none, basic, bearer, headers, query, oauth2 and jwt", "auth does not say how to log in"))
	}
	b.recipe.auth = append(b.recipe.auth, a)
}

// Auth is how the connection with these settings logs in. The error is for
// people and holds no secret.
func (r *Recipe) Auth(v *Values) (*Auth, error) {
	out := &Auth{Header: http.Header{}, Query: url.Values{}}
	scope := lang.NewValues(map[string]any{"settings": v.all})
	for _, a := range r.auth {
		if a.when != nil {
			if fits, err := a.when.Eval(scope); err != nil || !fits {
				continue
			}
		}
		return out, a.render(out, scope)
	}
	if len(r.auth) > 0 {
		return nil, fmt.Errorf("%w: one of them is missing", errAuth)
	}
	return out, nil
}

// render fills out. An error of a template names what it is made of only.
func (a *auth) render(out *Auth, s *lang.Scope) error {
	if a.user != nil {
		user, err1 := renderText(a.user, s, true)
		password, err2 := renderText(a.pass, s, false)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("%w: %w", errAuth, err)
		}
		out.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	if a.bearer != nil {
		token, err := renderText(a.bearer, s, true)
		if err != nil {
			return fmt.Errorf("%w: %w", errAuth, err)
		}
		out.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	}
	headers, err1 := a.headers.pairs(s)
	query, err2 := a.query.pairs(s)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("%w: %w", errAuth, err)
	}
	for name, value := range headers {
		out.Header.Set(name, strings.TrimSpace(value))
	}
	for name, value := range query {
		out.Query.Set(name, value)
	}
	for name := range out.Header {
		if !httpguts.ValidHeaderFieldValue(out.Header.Get(name)) {
			return fmt.Errorf("%w: the header %s would hold a line break", errAuth, name)
		}
	}
	if a.grant == nil {
		return nil
	}
	var err error
	out.OAuth, err = a.grant.render(s)
	return err
}

func (g *grant) render(s *lang.Scope) (*oauth.Config, error) {
	var faults []error
	text := func(t *lang.Template, required bool) string {
		value, err := renderText(t, s, required)
		if err != nil {
			faults = append(faults, err)
		}
		return value
	}
	config := &oauth.Config{TokenURL: text(g.tokenURL, true), InHeader: g.inHeader, Scopes: g.scopes}
	if g.jwt {
		config.Assertion = &oauth.Assertion{
			Issuer: text(g.issuer, true), Subject: text(g.subject, false), Audience: text(g.audience, false),
			KeyID: text(g.keyID, false), PEM: text(g.key, true), Lifetime: g.lifetime,
		}
		var err error
		if config.Assertion.Key, err = oauth.ParseKey(config.Assertion.PEM); err != nil {
			faults = append(faults, err)
		}
	} else {
		config.ClientID, config.ClientSecret = text(g.id, true), text(g.secret, true)
	}
	params, err := g.params.pairs(s)
	if err != nil {
		faults = append(faults, err)
	}
	for name, value := range params {
		if config.Params == nil {
			config.Params = url.Values{}
		}
		config.Params.Set(name, value)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%w: %w", errAuth, faults[0])
	}
	return config, nil
}
