package connectors

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"hookgate/connectors/oauth"
	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// recipeConnector carries out a recipe's actions for one connection.
type recipeConnector struct {
	recipe    *recipe.Recipe
	values    *recipe.Values
	auth      *recipe.Auth
	tokens    *oauth.Source // nil: the login needs none
	hidden    []string      // the connection's secrets but for the token
	secrets   *redactor     // of hidden
	shown     atomic.Pointer[tokenRedactor]
	transport http.RoundTripper
	deps      Deps
}

// tokenRedactor is the redactor that hides one access token, too.
type tokenRedactor struct {
	token   string
	secrets *redactor
}

func newRecipe(r *recipe.Recipe, n yamlnode.Node, deps Deps) (Connector, diag.List) {
	values, list := r.Values(n, CommonKeys()...)
	c := &recipeConnector{recipe: r, values: values, hidden: values.Secrets}
	for _, u := range values.URLs {
		checked, faults := checkURL(u.Node, event.NewSecret(u.Value), deps.Egress)
		list = append(list, faults...)
		if u.Secret && checked != nil {
			c.hidden = append(c.hidden, urlSecrets(checked)...)
		}
	}
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.withDefaults()
	c.deps, c.transport = deps, deps.Egress.RoundTripper()
	var err error
	if c.auth, err = r.Auth(values); err == nil && c.auth.OAuth != nil {
		_, err = egress.CheckURL(c.auth.OAuth.TokenURL)
	}
	if err != nil {
		return nil, append(list, n.Diag("bad-value", "hookgate connectors show "+r.Name+" tells what goes together", "%s: %s", r.Noun(), newRedactor(c.hidden...).text(err.Error())))
	}
	c.hidden = append(c.hidden, authSecrets(c.auth)...)
	c.secrets = newRedactor(c.hidden...)
	if c.auth.OAuth != nil {
		c.tokens = oauth.New(*c.auth.OAuth, c.transport, deps.Now)
	}
	if r.Test != nil {
		return triable{c}, list
	}
	return c, list
}

// authSecrets are the texts that a login shows.
func authSecrets(a *recipe.Auth) []string {
	var list []string
	for name := range a.Header {
		list = append(list, headerSecrets(name, a.Header.Get(name))...)
	}
	for _, values := range a.Query {
		list = append(list, values...)
	}
	if a.OAuth != nil {
		list = append(list, a.OAuth.Secrets()...)
	}
	return list
}

// Deliver makes the requests of one action. Where several are made and a later
// one fails, the next attempt makes all of them again.
func (c *recipeConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	call, err := c.recipe.Call(c.values, d)
	if err != nil {
		return event.Receipt{}, Permanent(errors.New(c.secrets.text(err.Error())))
	}
	if err := c.recall(parent, call); err != nil {
		return event.Receipt{}, err
	}
	receipt, err := c.carryOut(parent, call)
	if err == nil {
		c.remember(parent, call)
	}
	return receipt, err
}

// carryOut makes the requests of call until one fails or none is left.
func (c *recipeConnector) carryOut(parent context.Context, call *recipe.Call) (event.Receipt, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	var receipt event.Receipt
	renewed := false
	for {
		token, secrets, err := c.token(ctx)
		if err != nil {
			return receipt, c.tokenError(parent, ctx, err)
		}
		call.Token(token.Extra)
		req, err := call.Next()
		if err != nil {
			return receipt, Permanent(errors.New(secrets.text(err.Error())))
		}
		if req == nil {
			receipt.Outputs = secrets.texts(call.Outputs())
			return receipt, nil
		}
		got, err := c.send(ctx, req, token.Value, secrets)
		if got.status == 0 {
			return receipt, attemptError(parent, ctx, err, c.deps.Timeout)
		}
		receipt = got.receipt()
		verdict := call.Judge(recipe.Answer{Status: got.status, Header: got.header, Body: got.body})
		switch {
		case err != nil && got.status/100 == 2 && (verdict.Class != recipe.Delivered || call.Pending()):
			return receipt, attemptError(parent, ctx, err, c.deps.Timeout) // what was to be read is not whole
		case verdict.Class == recipe.Delivered:
		case c.tokens != nil && !renewed && expired(verdict, got.status):
			renewed = true
			c.tokens.Drop(token)
		default:
			return receipt, c.failure(&got, &verdict, secrets)
		}
	}
}

// expired reports whether an answer is about the access token.
func expired(v recipe.Verdict, status int) bool {
	return v.Class == recipe.Expired || v.Class == recipe.Unclear && status == http.StatusUnauthorized
}

// token gives the access token and the redactor that hides it. Without a need
// for one it is empty.
func (c *recipeConnector) token(ctx context.Context) (oauth.Token, *redactor, error) {
	if c.tokens == nil {
		return oauth.Token{}, c.secrets, nil
	}
	token, err := c.tokens.Token(ctx)
	if err != nil {
		return oauth.Token{}, nil, err
	}
	at := c.shown.Load()
	if at == nil || at.token != token.Value {
		at = &tokenRedactor{token: token.Value, secrets: newRedactor(append(slices.Clone(c.hidden), token.Value)...)}
		c.shown.Store(at)
	}
	return token, at.secrets, nil
}

// tokenError is the error for an access token that was not to be had.
func (c *recipeConnector) tokenError(parent, ctx context.Context, err error) error {
	refused, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return attemptError(parent, ctx, err, c.deps.Timeout)
	}
	failure := errors.New(excerpt(c.secrets.text(refused.Error())))
	if refused.Permanent() {
		return Permanent(failure)
	}
	return RetryAfter(failure, parseRetryAfter(refused.Header.Get("Retry-After"), c.deps.Now()))
}

// send makes one request. The answer's status is 0 when there was none; with
// another one, an error says that its body broke off.
func (c *recipeConnector) send(ctx context.Context, r *recipe.Request, token string, secrets *redactor) (answer, error) {
	query := map[string]string{}
	for name := range c.auth.Query {
		query[name] = c.auth.Query.Get(name)
	}
	recipe.AddQuery(r.URL, query)
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return answer{}, err
	}
	req.Header = r.Header
	maps.Copy(req.Header, c.auth.Header)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.deps.userAgent())
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp, secrets, maxSpokenAnswer)
}

// failure is the error for an answer that is no success: in the vendor's own
// words where the recipe finds them.
func (c *recipeConnector) failure(got *answer, v *recipe.Verdict, secrets *redactor) error {
	text := got.describe()
	switch {
	case strings.EqualFold(v.Message, http.StatusText(got.status)) && v.Message != "": // what the status says already
		text = recipe.Describe(got.status)
	case v.Message != "":
		text = recipe.Describe(got.status) + ": " + excerpt(secrets.text(v.Message))
	}
	permanent := !transient(got.status)
	switch v.Class {
	case recipe.Permanent, recipe.Expired:
		permanent = true
	case recipe.Transient:
		permanent = false
	case recipe.Delivered, recipe.Unclear:
		if got.status/100 == 2 { // a proxy in between, or a part of the vendor that is out of order
			permanent = false
			text = "the answer does not say that it was done: " + text
		}
	}
	if permanent {
		return Permanent(errors.New(text))
	}
	after := parseRetryAfter(got.header.Get("Retry-After"), c.deps.Now())
	return RetryAfter(errors.New(text), max(after, v.After))
}
