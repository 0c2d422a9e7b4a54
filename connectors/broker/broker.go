// Package broker publishes messages to message brokers: NATS, Kafka and AMQP.
// They have in common a message with a body and headers, a connection that is
// kept between attempts, and TLS with files of its own.
package broker

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// messageIDHeader carries the delivery's id where a broker has no place of its
// own for it: the same at every attempt, by which consumers can recognise a
// message that came twice.
const messageIDHeader = "message-id"

// output is a rendered action to any of the brokers.
type output struct {
	JSON        json.RawMessage `json:"json"`
	Body        *string         `json:"body"`
	ContentType string          `json:"content_type"`
	Headers     json.RawMessage `json:"headers"`

	Subject    string  `json:"subject"`
	Topic      string  `json:"topic"`
	Key        *string `json:"key"`
	Exchange   *string `json:"exchange"`
	RoutingKey *string `json:"routing_key"`
}

// message is what is sent.
type message struct {
	output
	body        []byte
	contentType string
	headers     map[string]string
}

func readMessage(d event.Delivery, kind string) (*message, error) {
	m := &message{}
	if err := json.Unmarshal(d.Output, &m.output); err != nil {
		return nil, fmt.Errorf("the stored output is not that of an action to %s", kind)
	}
	switch {
	case m.JSON != nil:
		m.body, m.contentType = m.JSON, connectors.JSONType
	case m.Body != nil:
		m.body, m.contentType = []byte(*m.Body), "text/plain; charset=utf-8"
	default:
		return nil, errors.New("there is neither json nor body to send")
	}
	if m.ContentType != "" {
		m.contentType = m.ContentType
	}
	headers, err := connectors.ReadTexts("headers", m.Headers)
	if err != nil {
		return nil, err
	}
	m.headers = make(map[string]string, len(headers))
	for name, values := range headers {
		value := strings.Join(values, ", ")
		if strings.ContainsAny(name+value+m.contentType, "\r\n\x00") || name == "" {
			return nil, fmt.Errorf("the header %s is empty or holds a line break", connectors.Excerpt(name))
		}
		m.headers[name] = value
	}
	return m, nil
}

// inputs are the inputs that all brokers' actions have, after their own.
func inputs(own ...lang.Input) []lang.Input {
	return append(own,
		lang.Input{Name: "json", Doc: "The message as JSON: any value; a leaf that is one ${{ }} keeps its type.", Kind: lang.ValueInput},
		lang.Input{Name: "body", Doc: "The message as text, as it is.", Kind: lang.TextInput},
		lang.Input{Name: "content_type", Doc: "The content type of the message, in place of the usual one.", Kind: lang.TextInput, Check: connectors.CheckHeaderText},
		lang.Input{Name: "headers", Doc: "Headers of the message: names and texts.", Kind: lang.ValueInput, Check: connectors.CheckTexts},
	)
}

// checkBody wants exactly one body.
func checkBody(noun string) func(n yamlnode.Node, given []yamlnode.Field) diag.List {
	return func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		_, hasJSON := connectors.Field(given, "json")
		text, hasBody := connectors.Field(given, "body")
		switch {
		case hasJSON && hasBody:
			return diag.List{text.Key.Diag("conflict", "keep one of json and body", `"json" and "body" are both the message`)}
		case !hasJSON && !hasBody:
			return diag.List{n.Diag("missing-key", "", "%s needs json or body", noun)}
		}
		return nil
	}
}

// needsPlace narrows an action for a connection that has no default for key.
func needsPlace(action lang.Action, settings yamlnode.Node, key string) lang.Action {
	general := action.Check
	has := !settings.Get(key).IsZero()
	action.Check = func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		list := general(n, given)
		if _, found := connectors.Field(given, key); !found && !has {
			list = append(list, yamlnode.MissingKey(n, key, "set it here or on the connection", action.Noun))
		}
		return list
	}
	return action
}

// tlsFiles is how a connection proves and judges certificates.
type tlsFiles struct {
	CA   yamlnode.Text `yaml:"ca" doc:"A file of certificates (PEM) that the server's must be signed by, in place of the system's authorities." example:"/etc/hookgate/broker-ca.pem"`
	Cert yamlnode.Text `yaml:"cert" doc:"A file with the certificate (PEM) that proves who we are; key goes with it." example:"/etc/hookgate/client.pem"`
	Key  yamlnode.Text `yaml:"key" doc:"A file with the private key (PEM) of cert." example:"/etc/hookgate/client-key.pem"`
}

func (b *tlsFiles) config(n yamlnode.Node) (*tls.Config, diag.List) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var list diag.List
	if !b.CA.IsZero() {
		config.RootCAs, list = connectors.ReadAuthorities(b.CA)
	}
	switch {
	case b.Cert.IsZero() != b.Key.IsZero():
		list = append(list, n.Diag("missing-key", "", `"cert" and "key" go together`))
	case !b.Cert.IsZero():
		pair, err := tls.LoadX509KeyPair(connectors.BesideConfig(b.Cert), connectors.BesideConfig(b.Key))
		if err != nil {
			list = append(list, b.Cert.Diag("bad-file", "", "the certificate and its key cannot be used: %s", connectors.FileFault(err)))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, list
}

// checkHost judges host:port, and warns of an address that will be refused.
func checkHost(t yamlnode.Text, address string, client *egress.Client) diag.List {
	host, port, err := net.SplitHostPort(address)
	number, notNumber := strconv.Atoi(port)
	if err != nil || host == "" || strings.ContainsAny(host, " /@\t") || notNumber != nil || number < 1 || number > 65535 {
		return diag.List{t.Diag("bad-value", "such as broker.example:"+port, "this is no host and port")}
	}
	addr, notAddress := netip.ParseAddr(host)
	if notAddress == nil && client != nil && client.Check(addr) != nil {
		warning := t.Diag("private-address", "allow it with outbound.allow_private", "this is not a public address: nothing can be sent there")
		warning.Severity = diag.Warning
		return diag.List{warning}
	}
	return nil
}

// unencrypted warns of a password that can be read on the way.
func unencrypted(t yamlnode.Text, host, hint string) diag.List {
	if connectors.IsLoopback(host) {
		return nil
	}
	warning := t.Diag("no-encryption", hint, "the messages, and the password, can be read on the way")
	warning.Severity = diag.Warning
	return diag.List{warning}
}

// dialer dials through the address guard, and remembers why the last
// dialling failed: libraries that try again by themselves do not say.
type dialer struct {
	client *egress.Client

	mu     sync.Mutex
	failed error
}

// dial connects; with config it speaks TLS, by the name of the host.
func (d *dialer) dial(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	conn, err := d.connect(ctx, address, config)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = err
	return conn, err
}

func (d *dialer) connect(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	raw, err := d.client.DialContext(ctx, "tcp", address)
	if err != nil || config == nil {
		return raw, err
	}
	config = config.Clone()
	if host, _, err := net.SplitHostPort(address); err == nil {
		config.ServerName = host
	}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return secure, nil
}

// fault is why the last dialling failed; nil if it did not.
func (d *dialer) fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// failure turns what an attempt failed with, other than by the broker's
// own words, into the error that Deliver returns. What dialling failed with
// says more than a time that ran out.
func (d *dialer) failure(parent, ctx context.Context, err error, timeout time.Duration) error {
	if connectors.IsPermanent(err) {
		return err
	}
	dialled := d.fault()
	switch {
	case errors.Is(dialled, egress.ErrRefused):
		return connectors.AttemptError(parent, ctx, dialled, timeout)
	case dialled != nil && parent.Err() == nil:
		return connectors.ExplainNetwork(egress.Cause(dialled))
	}
	return connectors.AttemptError(parent, ctx, err, timeout)
}

// slot holds one connection, which attempts share. Whoever has it may make or
// replace it; waiting for it ends with the context.
type slot[T any] struct {
	turn chan struct{}
	now  T
	set  bool
}

func newSlot[T any]() *slot[T] { return &slot[T]{turn: make(chan struct{}, 1)} }

// get gives the connection, or makes one where there is none that is usable.
func (s *slot[T]) get(ctx context.Context, usable func(T) bool, connect func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.set && usable(s.now) {
		return s.now, nil
	}
	s.set = false
	fresh, err := connect(ctx)
	if err != nil {
		return none, err
	}
	s.now, s.set = fresh, true
	return fresh, nil
}

// drop takes the connection out, for it to be closed; false where there is none.
func (s *slot[T]) drop() (T, bool) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	was := s.set
	s.set = false
	return s.now, was
}

// said is what a broker answered as it is kept, and as JSON it can be searched.
func said(facts map[string]any) []byte {
	text, err := json.Marshal(facts)
	if err != nil {
		return nil
	}
	return text
}
