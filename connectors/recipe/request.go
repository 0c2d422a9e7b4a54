package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// maxBody bounds what a request can become, in bytes.
const maxBody = 10 << 20

// Call is one attempt to carry out an action. It is not for concurrent use.
type Call struct {
	recipe *Recipe
	action *Action
	values map[string]any    // what expressions see
	next   int               // the step at hand
	last   connectors.Answer // the last one that was a success
}

// Request is one request as the recipe asks for it, without the login.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// errUnfit reports an output that is none of an action of this kind.
var errUnfit = errors.New("the stored output is not that of an action of this kind")

// Call starts an attempt at a delivery to the connection with these settings.
// An error says that it can never be sent.
func (r *Recipe) Call(v *Values, d event.Delivery) (*Call, error) {
	value, err := connectors.DecodeJSON(d.Output)
	output, isMap := value.(map[string]any)
	if err != nil || !isMap {
		return nil, errUnfit
	}
	a, given, err := r.chosen(output)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	inputs, err := a.values(given, r.Name)
	if err != nil {
		return nil, err
	}
	return &Call{recipe: r, action: a, values: map[string]any{
		"settings": v.all, "input": inputs, "steps": map[string]any{}, "token": map[string]any{}, "memory": map[string]any{},
		"delivery": map[string]any{
			"id": d.ID.String(), "event": d.Event.String(), "created": d.Event.Time().UTC().Format(time.RFC3339),
		},
	}}, nil
}

// Token makes what came with an access token known to the requests.
func (c *Call) Token(extra map[string]any) { c.values["token"] = extra }

// Memory is the key by which the action remembers and recalls, and the names of
// what it can recall by it; "" where it does neither.
func (c *Call) Memory() (key string, names []string) {
	if c.action.key == nil {
		return "", nil
	}
	key, err := c.action.key.Text(lang.NewValues(c.values))
	if err != nil || key == "" { // what it is made of was not given
		return "", nil
	}
	return key, c.recipe.memory
}

// Recall makes known to the requests what was remembered by the action's key.
func (c *Call) Recall(values map[string]any) { c.values["memory"] = values }

// Pending reports whether requests may be left to make.
func (c *Call) Pending() bool { return c.next < len(c.action.steps) }

// Next makes the request that is due; nil when there is none any more. It
// stays due until Judge calls its answer a success. An error says that it can
// never be made.
func (c *Call) Next() (*Request, error) {
	scope := lang.NewValues(c.values)
	for c.next < len(c.action.steps) {
		s := c.action.steps[c.next]
		if s.when != nil {
			due, err := s.when.Eval(scope)
			if err != nil {
				return nil, c.named(err)
			}
			if !due {
				c.next++
				continue
			}
		}
		req, err := s.request(scope)
		return req, c.named(err)
	}
	return nil, nil //nolint:nilnil // no request is one of the answers
}

// named puts the step's name before its error.
func (c *Call) named(err error) error {
	if s := c.action.steps[c.next]; err != nil && s.name != "" {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return err
}

func (s *step) request(scope *lang.Scope) (*Request, error) {
	req := &Request{Method: s.method, Header: http.Header{}}
	var err error
	if req.URL, err = s.address(scope); err != nil {
		return nil, err
	}
	if err := s.setBody(req, scope); err != nil {
		return nil, err
	}
	headers, err := s.headers.pairs(scope)
	if err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	for name := range req.Header {
		if !httpguts.ValidHeaderFieldValue(req.Header.Get(name)) {
			return nil, fmt.Errorf("the value of the header %q holds a line break or another control character", name)
		}
	}
	if len(req.Body) > maxBody {
		return nil, fmt.Errorf("the request has %d MB, %d are the most", len(req.Body)>>20, maxBody>>20)
	}
	return req, nil
}

// emptyPart stands for a value of a path that is empty, which would make it
// the path of something else.
const emptyPart = "\x00"

// pathPart escapes a value that becomes a part of a path.
func pathPart(text string) string {
	if strings.TrimSpace(text) == "" {
		return emptyPart
	}
	return url.PathEscape(text)
}

// address is the URL with the path and query put in.
func (s *step) address(scope *lang.Scope) (*url.URL, error) {
	base, err := s.base(scope)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	path, err := renderText(s.path, scope, true)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if path != "" {
		for part := range strings.SplitSeq(path, "/") {
			if part == "." || part == ".." || strings.Contains(part, emptyPart) {
				return nil, errors.New("path: a value in it is empty, or one or two dots")
			}
		}
		whole := strings.TrimRight(base.EscapedPath(), "/") + path
		plain, err := url.PathUnescape(whole)
		if err != nil {
			return nil, errors.New("path: it is no path of a URL")
		}
		base.Path, base.RawPath = plain, whole
	}
	query, err := s.query.pairs(scope)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	AddQuery(base, query)
	return base, nil
}

// AddQuery adds parameters to those that u has.
func AddQuery(u *url.URL, pairs map[string]string) {
	if len(pairs) == 0 {
		return
	}
	values := url.Values{}
	for name, value := range pairs {
		values.Set(name, value)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += values.Encode()
}

// base is where the request goes, before its path: what it says itself, else
// the setting api_url. The error does not hold it.
func (s *step) base(scope *lang.Scope) (*url.URL, error) {
	text, err := renderText(s.url, scope, true)
	if err != nil {
		return nil, err
	}
	return egress.CheckURL(text)
}

func (s *step) setBody(req *Request, scope *lang.Scope) error {
	switch {
	case s.json != nil:
		body, left, err := s.json.appendJSON(nil, scope)
		if err != nil {
			return fmt.Errorf("json: %w", err)
		}
		if left {
			body = []byte("null")
		}
		if !json.Valid(body) {
			return errors.New("json: it did not become JSON")
		}
		req.Body = body
		req.Header.Set("Content-Type", "application/json")
	case s.form != nil:
		form, err := s.form.pairs(scope)
		if err != nil {
			return fmt.Errorf("form: %w", err)
		}
		values := url.Values{}
		for name, value := range form {
			values.Set(name, value)
		}
		req.Body = []byte(values.Encode())
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case s.body != nil:
		text, err := renderText(s.body, scope, false)
		if err != nil {
			return fmt.Errorf("body: %w", err)
		}
		req.Body = []byte(text)
		req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if s.content == nil {
		return nil
	}
	kind, err := renderText(s.content, scope, true)
	req.Header.Set("Content-Type", kind)
	return err
}
