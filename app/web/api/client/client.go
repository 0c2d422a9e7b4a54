// Package client talks to the administration API of a running hookgate: over
// the unix socket beside its database, or from elsewhere by URL and login.
package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

var (
	// ErrUnreachable reports that no server answers at the socket or URL.
	ErrUnreachable = errors.New("no running server answers")
	// ErrLogin reports that the server refused the user or password.
	ErrLogin = errors.New("the login was refused")
	// ErrNotFound reports that the server knows no such event, delivery or source.
	ErrNotFound = errors.New("not found")
)

var _ api.Contract = (*Client)(nil)

// maxAnswer bounds what is read of one answer: a page of events with bodies.
const maxAnswer = 256 << 20

// Problem is an answer of the server that is not a success and has no error
// of its own here: what was wrong with the request, in the server's words.
type Problem struct{ api.Problem }

// Error gives the detail, or the title where there is none.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Client is safe for concurrent use. It does what the server's own service
// does: see api.Contract.
type Client struct {
	base  string       // URL without a slash at its end
	where string       // what messages call the server: socket path or URL
	login event.Secret // the header Authorization; "" on the socket
	http  *http.Client
}

// Unix reaches the server through its socket at path; the file's mode is the login.
func Unix(path string) *Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}
	return &Client{base: "http://hookgate", where: path, http: newHTTP(transport)}
}

// Remote reaches the server at its public URL, as the user of server.admin whom
// login names, as user:password. A redirect is not followed, for it would carry
// the password to another place.
func Remote(base, login string) (*Client, error) {
	user, pass, ok := strings.Cut(login, ":")
	if !ok || user == "" || pass == "" {
		return nil, errors.New("the login must be user:password, as server.admin has them")
	}
	return remote(base, "Basic "+base64.StdEncoding.EncodeToString([]byte(login)))
}

// RemoteToken is Remote for a program, which has a token in place of a user.
func RemoteToken(base, token string) (*Client, error) {
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token must be as hookgate tokens create printed it")
	}
	return remote(base, "Bearer "+token)
}

func remote(base, login string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is no URL of a server: it must be like https://hooks.agency.example", base)
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	base = u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/")
	return &Client{base: base, where: base, login: event.NewSecret(login), http: newHTTP(transport)}, nil
}

func newHTTP(transport *http.Transport) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       5 * time.Minute, // a bulk action may change many rows
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// authorize adds the login to a request.
func (c *Client) authorize(req *http.Request) {
	if !c.login.IsZero() {
		req.Header.Set("Authorization", c.login.Reveal())
	}
}

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call does one request and decodes the answer into out. A status that is not
// a success becomes one of this package's errors, unless it is in also.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body *content, out any, also ...int) error {
	target := c.base + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body.bytes)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w", c.where, err)
	}
	if body != nil && body.typ != "" {
		req.Header.Set("Content-Type", body.typ)
	}
	c.authorize(req)
	res, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if err := c.fault(res, answer, also); err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s gave an answer that is not understood: %w", c.where, err)
	}
	return nil
}

// unreachable keeps a cancelled context apart from a server that is not there.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err // without the URL: the message names the place once
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		err = op.Err
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.where, err)
}

// fault turns an answer that is no success into an error.
func (c *Client) fault(res *http.Response, answer []byte, also []int) error {
	if res.StatusCode >= 200 && res.StatusCode < 300 || slices.Contains(also, res.StatusCode) {
		return nil
	}
	problem := &Problem{}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(answer, &problem.Problem) != nil {
		return fmt.Errorf("%w: what answers at %s with status %d is no hookgate API (is server.admin set?)",
			ErrUnreachable, c.where, res.StatusCode)
	}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w by %s", ErrLogin, c.where)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrNotFound, problem)
	default:
		return problem
	}
}

// content is a request body with its type.
type content struct {
	typ   string
	bytes []byte
}

// get asks for what is at path and decodes the answer into out.
func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	return c.call(ctx, http.MethodGet, path, query, nil, out)
}

// post sends a JSON body, or none where in is nil, and decodes the answer into
// out.
func (c *Client) post(ctx context.Context, path string, in, out any) error {
	if in == nil {
		return c.call(ctx, http.MethodPost, path, nil, nil, out)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("cannot write the request: %w", err)
	}
	return c.call(ctx, http.MethodPost, path, nil, &content{typ: "application/json", bytes: text}, out)
}

func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

func setTime(q url.Values, key string, t time.Time) {
	if !t.IsZero() {
		q.Set(key, t.UTC().Format(time.RFC3339Nano))
	}
}

func setLimit(q url.Values, n int) {
	if n > 0 {
		q.Set("limit", strconv.Itoa(n))
	}
}
