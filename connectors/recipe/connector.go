package recipe

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"hookgate/connectors"
	"hookgate/connectors/oauth"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// connector carries out a recipe's actions for one connection.
type connector struct {
	recipe    *Recipe
	values    *Values
	auth      *Auth
	tokens    *oauth.Source        // nil: the login needs none
	hidden    []string             // the connection's secrets but for the token
	secrets   *connectors.Redactor // of hidden
	shown     atomic.Pointer[tokenRedactor]
	transport http.RoundTripper
	deps      connectors.Deps
}

// tokenRedactor is the redactor that hides one access token, too.
type tokenRedactor struct {
	token   string
	secrets *connectors.Redactor
}

func newConnector(r *Recipe, n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	values, list := r.Values(n, connectors.CommonKeys()...)
	c := &connector{recipe: r, values: values, hidden: values.Secrets}
	for _, u := range values.URLs {
		checked, faults := connectors.CheckURL(u.Node, event.NewSecret(u.Value), deps.Egress)
		list = append(list, faults...)
		if u.Secret && checked != nil {
			c.hidden = append(c.hidden, connectors.URLSecrets(checked)...)
		}
	}
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	c.deps, c.transport = deps, deps.Egress.RoundTripper()
	var err error
	if c.auth, err = r.Auth(values); err == nil && c.auth.OAuth != nil {
		_, err = egress.CheckURL(c.auth.OAuth.TokenURL)
	}
	if err != nil {
		return nil, append(list, n.Diag("bad-value", "hookgate connectors show "+r.Name+" tells what goes together", "%s: %s", r.Noun(), connectors.NewRedactor(c.hidden...).Text(err.Error())))
	}
	c.hidden = append(c.hidden, authSecrets(c.auth)...)
	c.secrets = connectors.NewRedactor(c.hidden...)
	if c.auth.OAuth != nil {
		c.tokens = oauth.New(*c.auth.OAuth, c.transport, deps.Now)
	}
	if r.Test != nil {
		return testable{c}, list
	}
	return c, list
}

// authSecrets are the texts that a login shows.
func authSecrets(a *Auth) []string {
	var list []string
	for name := range a.Header {
		list = append(list, connectors.HeaderSecrets(name, a.Header.Get(name))...)
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
func (c *connector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	call, err := c.recipe.Call(c.values, d)
	if err != nil {
		return event.Receipt{}, connectors.Permanent(errors.New(c.secrets.Text(err.Error())))
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
func (c *connector) carryOut(parent context.Context, call *Call) (event.Receipt, error) {
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
			return receipt, connectors.Permanent(errors.New(secrets.Text(err.Error())))
		}
		if req == nil {
			receipt.Outputs = secrets.Outputs(call.Outputs())
			return receipt, nil
		}
		got, err := c.send(ctx, req, token.Value, secrets)
		if got.Status == 0 {
			return got.Receipt(), connectors.AttemptError(parent, ctx, err, c.deps.Timeout)
		}
		receipt = got.Receipt()
		verdict := call.Judge(connectors.Answer{Status: got.Status, Header: got.Header, Body: got.Body})
		switch {
		case err != nil && got.Status/100 == 2 && (verdict.Class != Delivered || call.Pending()):
			return receipt, connectors.AttemptError(parent, ctx, err, c.deps.Timeout) // what was to be read is not whole
		case verdict.Class == Delivered:
		case c.tokens != nil && !renewed && expired(verdict, got.Status):
			renewed = true
			c.tokens.Drop(token)
		default:
			return receipt, c.failure(&got, &verdict, secrets)
		}
	}
}

// Judge implements connectors.Judge.
func (c *connector) Judge(d event.Delivery, a connectors.Answer) (event.Receipt, error) {
	receipt := a.Receipt()
	call, err := c.recipe.Call(c.values, d)
	for err == nil {
		var req *Request
		if req, err = call.Next(); err != nil {
			break
		}
		if req == nil {
			receipt.Outputs = c.secrets.Outputs(call.Outputs())
			return receipt, nil
		}
		if verdict := call.Judge(a); verdict.Class != Delivered {
			return receipt, c.failure(&a, &verdict, c.secrets)
		}
	}
	return receipt, connectors.Permanent(errors.New(c.secrets.Text(err.Error())))
}

// expired reports whether an answer is about the access token.
func expired(v Verdict, status int) bool {
	return v.Class == Expired || v.Class == Unclear && status == http.StatusUnauthorized
}

// token gives the access token and the redactor that hides it. Without a need
// for one it is empty.
func (c *connector) token(ctx context.Context) (oauth.Token, *connectors.Redactor, error) {
	if c.tokens == nil {
		return oauth.Token{}, c.secrets, nil
	}
	token, err := c.tokens.Token(ctx)
	if err != nil {
		return oauth.Token{}, nil, err
	}
	at := c.shown.Load()
	if at == nil || at.token != token.Value {
		at = &tokenRedactor{token: token.Value, secrets: connectors.NewRedactor(append(slices.Clone(c.hidden), token.Value)...)}
		c.shown.Store(at)
	}
	return token, at.secrets, nil
}

// tokenError is the error for an access token that was not to be had.
func (c *connector) tokenError(parent, ctx context.Context, err error) error {
	refused, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return connectors.AttemptError(parent, ctx, err, c.deps.Timeout)
	}
	failure := errors.New(connectors.Excerpt(c.secrets.Text(refused.Error())))
	if refused.Permanent() {
		return connectors.Permanent(failure)
	}
	return connectors.RetryAfter(failure, connectors.ParseRetryAfter(refused.Header.Get("Retry-After"), c.deps.Now()))
}

// send makes one request. The answer's status is 0 when there was none; with
// another one, an error says that its body broke off.
func (c *connector) send(ctx context.Context, r *Request, token string, secrets *connectors.Redactor) (connectors.Answer, error) {
	query := map[string]string{}
	for name := range c.auth.Query {
		query[name] = c.auth.Query.Get(name)
	}
	AddQuery(r.URL, query)
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return connectors.Answer{}, err
	}
	req.Header = r.Header
	maps.Copy(req.Header, c.auth.Header)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.deps.UserAgent())
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	line := connectors.RequestLine(req.Method, req.URL, secrets)
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return connectors.NoAnswer(line), err
	}
	defer func() { _ = resp.Body.Close() }()
	return connectors.ReadAnswer(line, resp, secrets, connectors.MaxReadAnswer)
}

// failure is the error for an answer that is no success: in the vendor's own
// words where the recipe finds them.
func (c *connector) failure(got *connectors.Answer, v *Verdict, secrets *connectors.Redactor) error {
	text := got.Describe()
	switch {
	case strings.EqualFold(v.Message, http.StatusText(got.Status)) && v.Message != "": // what the status says already
		text = Describe(got.Status)
	case v.Message != "":
		text = Describe(got.Status) + ": " + connectors.Excerpt(secrets.Text(v.Message))
	}
	permanent := !connectors.Transient(got.Status)
	switch v.Class {
	case Permanent, Expired:
		permanent = true
	case Transient:
		permanent = false
	case Delivered, Unclear:
		if got.Status/100 == 2 { // a proxy in between, or a part of the vendor that is out of order
			permanent = false
			text = "the answer does not say that it was done: " + text
		}
	}
	if permanent {
		return connectors.Permanent(errors.New(text))
	}
	after := connectors.ParseRetryAfter(got.Header.Get("Retry-After"), c.deps.Now())
	return connectors.RetryAfter(errors.New(text), max(after, v.After))
}

// recall makes known to call what earlier deliveries remembered by its key.
func (c *connector) recall(ctx context.Context, call *Call) error {
	key, names := call.Memory()
	if key == "" {
		return nil
	}
	values := map[string]any{}
	for _, name := range names {
		value, found, err := c.deps.Memory.Get(ctx, memoryKey(name, key))
		if err != nil {
			return err // of our own store: another try is due
		}
		if found {
			values[name] = value
		}
	}
	call.Recall(values)
	return nil
}

// remember keeps what call learned, for later deliveries with its key.
func (c *connector) remember(ctx context.Context, call *Call) {
	key, _ := call.Memory()
	if key == "" {
		return
	}
	for name, value := range c.secrets.Texts(call.Learned()) {
		if err := c.deps.Memory.Put(ctx, memoryKey(name, key), value); err != nil { // it is done: to fail now would do it again
			c.deps.Logger.WarnContext(ctx, "what was made could not be remembered: the next delivery of its key will not find it", "name", name, "error", err)
		}
	}
}

// memoryKey tells what recipes remember from what other kinds do.
func memoryKey(name, key string) string { return "recipe " + name + " " + key }

// testable is a connection by a recipe that has a test.
type testable struct{ *connector }

// TestInfo implements Tester.
func (c testable) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: c.recipe.Test.What}
}

// Test implements Tester.
func (c testable) Test(ctx context.Context, _ event.DeliveryID) (connectors.TestResult, error) {
	call := c.recipe.TestCall(c.values)
	receipt, err := c.carryOut(ctx, call)
	tried := connectors.TestResult{Receipt: receipt}
	if err == nil {
		tried.Said = connectors.Excerpt(c.redactor().Text(call.Said()))
	}
	return tried, err
}

// redactor hides the access token, too, where one has been got.
func (c *connector) redactor() *connectors.Redactor {
	if at := c.shown.Load(); at != nil {
		return at.secrets
	}
	return c.secrets
}
