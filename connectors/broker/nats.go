package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// NATS is the kind of connection to such a broker.
func NATS() connectors.Kind {
	k := connectors.Kind{
		Name:     "nats",
		Doc:      "A message to a NATS JetStream stream, stored before it counts as delivered.",
		Settings: connectors.SettingsOf[natsYAML](),
		Action:   natsAction(),
		Narrow:   func(n yamlnode.Node) lang.Action { return needsPlace(natsAction(), n, "subject") },
		New:      newNATS,
	}
	k.Example = connectors.ExampleOf(&k, "", "subject: site.leads\njson: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }")
	return k
}

func natsAction() lang.Action {
	return lang.Action{
		Noun: "an action to NATS",
		Inputs: inputs(lang.Input{
			Name: "subject", Doc: "The subject, in place of the connection's.", Kind: lang.TextInput,
		}),
		Check: checkBody("an action to NATS"),
	}
}

// natsConnector publishes to JetStream over one connection.
type natsConnector struct {
	settings natsSettings
	secrets  *connectors.Redactor
	deps     connectors.Deps
	dialer   *dialer
	conn     *slot[*nats.Conn]
}

func newNATS(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readNATSSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	return &natsConnector{
		settings: settings, deps: deps, secrets: connectors.NewRedactor(settings.secrets()...),
		dialer: &dialer{client: deps.Egress}, conn: newSlot[*nats.Conn](),
	}, list
}

// Deliver publishes one message and waits until a stream has stored it. Its
// Nats-Msg-Id is the delivery's id, by which the stream drops a repeat within
// its duplicate window.
func (c *natsConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := readMessage(d, "NATS")
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	msg := &nats.Msg{Subject: cmp.Or(m.Subject, c.settings.subject), Data: m.body, Header: nats.Header{}}
	if err := checkSubject(msg.Subject); err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	msg.Header.Set("Content-Type", m.contentType)
	for name, value := range m.headers {
		if strings.HasPrefix(strings.ToLower(name), "nats-") {
			return event.Receipt{}, connectors.Permanent(fmt.Errorf("the header %s cannot be set: NATS gives it a meaning", connectors.Excerpt(name)))
		}
		msg.Header.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	conn, err := c.conn.get(ctx, (*nats.Conn).IsConnected, c.connect)
	if err != nil {
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	ack, err := js.PublishMsg(ctx, msg, jetstream.WithMsgID(d.ID.String()))
	if err != nil {
		if refused := conn.LastError(); errors.Is(refused, nats.ErrPermissionViolation) {
			err = refused
		}
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	return event.Receipt{
		Answer:  said(map[string]any{"stream": ack.Stream, "sequence": ack.Sequence, "duplicate": ack.Duplicate}),
		Outputs: map[string]event.Output{"stream": event.TextOutput(ack.Stream), "sequence": event.ScalarOutput(strconv.FormatUint(ack.Sequence, 10))},
	}, nil
}

// checkSubject refuses what cannot be published to.
func checkSubject(subject string) error {
	switch {
	case subject == "":
		return errors.New("the subject is empty")
	case strings.ContainsAny(subject, " \t\r\n\x00*>"), strings.Contains(subject, ".."), strings.HasPrefix(subject, "."), strings.HasSuffix(subject, "."):
		return fmt.Errorf("%s is no subject to publish to", connectors.Excerpt(subject))
	}
	return nil
}

// connect logs in. ctx ends it at any point; the connection outlives ctx.
func (c *natsConnector) connect(ctx context.Context) (*nats.Conn, error) {
	dial := &natsDialer{ctx: ctx, dialer: c.dialer}
	defer dial.done()
	options := []nats.Option{
		nats.Name(c.deps.UserAgent()), nats.SetCustomDialer(dial), nats.Timeout(c.deps.Timeout),
		// A connection that breaks is replaced by the next attempt, so that
		// what went wrong is said of that attempt.
		nats.NoReconnect(), nats.MaxPingsOutstanding(2), nats.PingInterval(20 * time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // it is in LastError
	}
	options = append(options, c.settings.login()...)
	return nats.Connect(strings.Join(c.settings.urls, ","), options...)
}

// natsDialer is the way out for nats.go, which knows no context.
type natsDialer struct {
	ctx    context.Context //nolint:containedctx // of the one login that it serves
	dialer *dialer
	stops  []func() bool
}

// Dial implements nats.CustomDialer.
func (d *natsDialer) Dial(_, address string) (net.Conn, error) {
	conn, err := d.dialer.dial(d.ctx, address, nil)
	if err == nil {
		d.stops = append(d.stops, context.AfterFunc(d.ctx, func() { _ = conn.Close() }))
	}
	return conn, err
}

// done lets the connections outlive the login.
func (d *natsDialer) done() {
	for _, stop := range d.stops {
		stop()
	}
}

// failure tells what will never work from what may work later.
func (c *natsConnector) failure(parent, ctx context.Context, err error) error {
	var api *jetstream.APIError
	text := func() error { return errors.New("NATS says " + connectors.Excerpt(c.secrets.Text(err.Error()))) }
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrPermissionViolation),
		errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrHeadersNotSupported),
		errors.Is(err, nats.ErrAccountAuthExpired), errors.Is(err, nats.ErrBadSubject):
		return connectors.Permanent(text())
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return errors.New("no stream takes messages with this subject")
	case errors.As(err, &api) && api.Code/100 == 4:
		return connectors.Permanent(text())
	case errors.As(err, &api):
		return text()
	case errors.Is(err, nats.ErrSecureConnWanted), errors.Is(err, nats.ErrSecureConnRequired):
		return connectors.NetworkError("TLS: the server does not speak it; is the URL tls instead of nats?", nil)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrStaleConnection):
		if parent.Err() == nil && ctx.Err() == nil {
			return connectors.NetworkError("connection closed before the answer was complete", nil)
		}
	}
	return c.dialer.failure(parent, ctx, err, c.deps.Timeout)
}

// TestInfo implements Tester.
func (c *natsConnector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "logs in to NATS and asks whether JetStream is on"}
}

// Test implements Tester.
func (c *natsConnector) Test(parent context.Context, _ event.DeliveryID) (connectors.TestResult, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	conn, err := c.conn.get(ctx, (*nats.Conn).IsConnected, c.connect)
	if err != nil {
		return connectors.TestResult{}, c.failure(parent, ctx, err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return connectors.TestResult{}, c.failure(parent, ctx, err)
	}
	account, err := js.AccountInfo(ctx)
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return connectors.TestResult{}, connectors.Permanent(errors.New("JetStream is not enabled"))
	case err != nil:
		return connectors.TestResult{}, c.failure(parent, ctx, err)
	}
	return connectors.TestResult{Said: fmt.Sprintf("logged in, JetStream has %d streams", account.Streams)}, nil
}

// Close ends the connection; the next attempt would make another.
func (c *natsConnector) Close() error {
	if conn, open := c.conn.drop(); open {
		conn.Close()
	}
	return nil
}

// natsYAML is a nats connection as it is written.
type natsYAML struct {
	URL      []yamlnode.Text `yaml:"url,single,required" doc:"The server, or several of one cluster: nats://host:4222, or tls://host:4222, which insists on TLS." example:"tls://nats.example:4222"`
	Subject  yamlnode.Text   `yaml:"subject" doc:"The subject of messages, unless the action has one. A stream of JetStream must listen to it." example:"website.events"`
	User     string          `yaml:"user" doc:"Who signs in." example:"hookgate"`
	Password event.Secret    `yaml:"password" doc:"The password to sign in with." example:"${NATS_PASSWORD}"`
	Token    event.Secret    `yaml:"token" doc:"A token to sign in with, in place of user and password." example:"${NATS_TOKEN}"`
	Creds    yamlnode.Text   `yaml:"creds" doc:"A file of credentials (JWT and seed) to sign in with." example:"/etc/hookgate/nats.creds"`
	tlsFiles
}

// natsSettings is a nats connection, checked.
type natsSettings struct {
	urls                  []string
	subject               string
	user, password, token string
	creds                 string
	secure                bool // insist on TLS
	config                *tls.Config
}

func (s *natsSettings) secrets() []string { return []string{s.password, s.token} }

func (s *natsSettings) login() []nats.Option {
	var list []nats.Option
	switch {
	case s.creds != "":
		list = append(list, nats.UserCredentials(s.creds))
	case s.token != "":
		list = append(list, nats.Token(s.token))
	case s.user != "":
		list = append(list, nats.UserInfo(s.user, s.password))
	}
	if s.secure {
		list = append(list, nats.Secure(s.config))
	}
	return list
}

func readNATSSettings(n yamlnode.Node, deps connectors.Deps) (natsSettings, diag.List) {
	var y natsYAML
	list := n.Decode("a nats connection", &y, connectors.CommonKeys()...)
	s := natsSettings{subject: y.Subject.Value, user: y.User, password: y.Password.Reveal(), token: y.Token.Reveal()}
	var faults diag.List
	s.config, faults = y.config(n)
	list = append(list, faults...)
	if !y.Subject.IsZero() {
		if err := checkSubject(s.subject); err != nil {
			list = append(list, y.Subject.Diag("bad-value", "such as website.events", "%s", err))
		}
	}
	login := n.Get("user").IsZero() != n.Get("password").IsZero()
	ways := 0
	for _, key := range []string{"password", "token", "creds"} {
		if !n.Get(key).IsZero() {
			ways++
		}
	}
	switch {
	case login:
		list = append(list, n.Diag("missing-key", "", `"user" and "password" go together`))
	case ways > 1:
		list = append(list, n.Diag("conflict", "keep one of them", "user and password, token and creds exclude each other"))
	}
	if !y.Creds.IsZero() {
		s.creds = connectors.BesideConfig(y.Creds)
		if err := connectors.CheckReadable(s.creds); err != nil {
			list = append(list, y.Creds.Diag("bad-file", "", "the credentials cannot be read: %s", connectors.FileFault(err)))
		}
	}
	for _, t := range y.URL {
		list = append(list, s.addURL(t, deps, ways > 0)...)
	}
	return s, list
}

// addURL takes one server. A password in its URL would be shown as the URL is.
func (s *natsSettings) addURL(t yamlnode.Text, deps connectors.Deps, login bool) diag.List {
	const hint = "write nats://host:4222 or tls://host:4222"
	u, err := url.Parse(t.Value)
	switch {
	case t.IsZero():
		return nil // Decode has said so
	case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" || u.Path != "" && u.Path != "/" || u.RawQuery != "":
		return diag.List{t.Diag("bad-url", hint, "this is no address of a NATS server")}
	case u.User != nil:
		return diag.List{t.Diag("bad-url", "write user and password under keys of their own", "the URL holds a login")}
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "4222")
	}
	s.urls = append(s.urls, u.Scheme+"://"+u.Host)
	list := checkHost(t, u.Host, deps.Egress)
	if u.Scheme == "tls" {
		s.secure = true
		return list
	}
	if login {
		list = append(list, unencrypted(t, u.Hostname(), "write tls:// in place of nats://")...)
	}
	return list
}
