package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// AMQP is the kind of connection to such a broker.
func AMQP() connectors.Kind {
	k := connectors.Kind{
		Name:     "amqp",
		Doc:      "A message to RabbitMQ or another AMQP 0-9-1 broker, routed and confirmed.",
		Settings: connectors.SettingsOf[amqpYAML](),
		Action:   amqpAction(),
		Narrow:   func(n yamlnode.Node) lang.Action { return needsPlace(amqpAction(), n, "routing_key") },
		New:      newAMQP,
	}
	k.Example = connectors.ExampleOf(&k, "", "routing_key: site.leads\njson: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }")
	return k
}

func amqpAction() lang.Action {
	return lang.Action{
		Noun: "an action to AMQP",
		Inputs: inputs(
			lang.Input{Name: "exchange", Doc: "The exchange, in place of the connection's.", Kind: lang.TextInput},
			lang.Input{Name: "routing_key", Doc: "The routing key, in place of the connection's.", Kind: lang.TextInput},
		),
		Check: checkBody("an action to AMQP"),
	}
}

// amqpConnector publishes over one connection; each attempt has a channel to
// itself, for it is the channel that tells which message is confirmed.
type amqpConnector struct {
	settings amqpSettings
	secrets  *connectors.Redactor
	deps     connectors.Deps
	dialer   *dialer
	conn     *slot[*amqpConnection]
	idle     chan *amqpChannel
}

// amqpConnection is a connection and what it is made over. The library knows no
// end for a write: it is the socket that is closed where one must not go on.
type amqpConnection struct {
	*amqp.Connection
	socket net.Conn
}

// impatientConn fails a write that the peer takes nothing of for the patience.
// A broker that is short of memory stops reading, and goes on sending its
// heartbeats.
type impatientConn struct {
	net.Conn
	patience time.Duration
}

func (c impatientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// amqpChannel is a channel in confirm mode.
type amqpChannel struct {
	*amqp.Channel
	conn     *amqpConnection
	returned chan amqp.Return
	closed   chan *amqp.Error
}

// idleChannels is how many channels are kept between attempts.
const idleChannels = 64

func newAMQP(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readAMQPSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	return &amqpConnector{
		settings: settings, deps: deps, secrets: connectors.NewRedactor(settings.secrets()...),
		dialer: &dialer{client: deps.Egress}, conn: newSlot[*amqpConnection](), idle: make(chan *amqpChannel, idleChannels),
	}, list
}

// Deliver publishes one persistent message and waits until the broker has it
// in a queue. Its message_id is the delivery's id.
func (c *amqpConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := readMessage(d, "AMQP")
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	exchange, key := c.settings.exchange, c.settings.routingKey
	if m.Exchange != nil {
		exchange = *m.Exchange
	}
	if m.RoutingKey != nil {
		key = *m.RoutingKey
	}
	const longest = 255 // bytes of a short string (AMQP 0-9-1, 4.2.5.3)
	if len(exchange) > longest || len(key) > longest {
		return event.Receipt{}, connectors.Permanent(fmt.Errorf("the exchange and the routing key have %d bytes at most", longest))
	}
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	channel, err := c.channel(ctx)
	if err != nil {
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	if err := channel.publish(ctx, exchange, key, m, d); err != nil {
		channel.discard()
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	c.keep(channel)
	return event.Receipt{Answer: said(map[string]any{"exchange": exchange, "routing_key": key, "confirmed": true})}, nil
}

var (
	errUnroutable = errors.New("no queue takes the message: nothing is bound for its routing key")
	errNack       = errors.New("the broker did not take the message")
)

// publish sends the message and waits for its confirmation. A channel that
// failed must not be used again. Where ctx ends before all of the message is
// written, so does the connection: it holds half of a message.
func (ch *amqpChannel) publish(ctx context.Context, exchange, key string, m *message, d event.Delivery) error {
	headers := amqp.Table{}
	for name, value := range m.headers {
		headers[name] = value
	}
	stop := context.AfterFunc(ctx, func() { _ = ch.conn.socket.Close() })
	confirmation, err := ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, true, false, amqp.Publishing{
		Headers: headers, ContentType: m.contentType, DeliveryMode: amqp.Persistent, MessageId: d.ID.String(),
		Timestamp: d.Created, AppId: "hookgate", Body: m.body,
	})
	stop()
	if err != nil {
		return ch.cause(err)
	}
	confirmed, err := confirmation.WaitContext(ctx)
	if err != nil {
		return err
	}
	select { // it comes before the confirmation (RabbitMQ, "Publisher confirms")
	case _, returned := <-ch.returned:
		if returned { // else the channel has been closed
			return connectors.Permanent(errUnroutable)
		}
	default:
	}
	if !confirmed {
		return ch.cause(errNack)
	}
	return nil
}

// cause is why the channel was closed, or otherwise where it was not.
func (ch *amqpChannel) cause(otherwise error) error {
	select {
	case closed := <-ch.closed:
		if closed != nil {
			return closed
		}
	default:
	}
	return otherwise
}

// discard closes a channel that cannot be used again. It does not wait: the
// broker may never answer.
func (ch *amqpChannel) discard() { go func() { _ = ch.Close() }() }

// channel gives an idle channel or opens one.
func (c *amqpConnector) channel(ctx context.Context) (*amqpChannel, error) {
	for {
		select {
		case ch := <-c.idle:
			if !ch.IsClosed() {
				return ch, nil
			}
			continue
		default:
		}
		conn, err := c.conn.get(ctx, func(conn *amqpConnection) bool { return !conn.IsClosed() }, c.connect)
		if err != nil {
			return nil, err
		}
		return openChannel(ctx, conn)
	}
}

// openChannel opens a channel; the library waits for the broker without a
// context, so that it is left to itself when ctx ends first.
func openChannel(ctx context.Context, conn *amqpConnection) (*amqpChannel, error) {
	type result struct {
		channel *amqpChannel
		err     error
	}
	opened := make(chan result, 1)
	go func() {
		ch, err := conn.Channel()
		if err == nil {
			if err = ch.Confirm(false); err != nil {
				_ = ch.Close()
			}
		}
		if err != nil {
			opened <- result{err: err}
			return
		}
		opened <- result{channel: &amqpChannel{
			Channel: ch, conn: conn,
			returned: ch.NotifyReturn(make(chan amqp.Return, 1)), closed: ch.NotifyClose(make(chan *amqp.Error, 1)),
		}}
	}()
	select {
	case r := <-opened:
		return r.channel, r.err
	case <-ctx.Done():
		go func() {
			if r := <-opened; r.channel != nil {
				_ = r.channel.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (c *amqpConnector) keep(ch *amqpChannel) {
	select {
	case c.idle <- ch:
	default:
		ch.discard()
	}
}

// connect logs in. ctx ends it at any point; the connection outlives ctx.
func (c *amqpConnector) connect(ctx context.Context) (*amqpConnection, error) {
	const heartbeat = 10 * time.Second
	config := amqp.Config{
		Heartbeat: heartbeat, Locale: "en_US", TLSClientConfig: c.settings.config, Vhost: c.settings.vhost, SASL: c.settings.login(),
		Properties: amqp.Table{"product": "hookgate", "version": c.deps.Version},
	}
	var socket net.Conn
	stop := func() bool { return false }
	config.Dial = func(_, address string) (net.Conn, error) {
		conn, err := c.dialer.dial(ctx, address, nil)
		if err != nil {
			return nil, err
		}
		socket = impatientConn{conn, c.deps.Timeout}
		stop = context.AfterFunc(ctx, func() { _ = socket.Close() })
		return socket, nil
	}
	conn, err := amqp.DialConfig(c.settings.url, config)
	stop()
	if err != nil {
		return nil, err
	}
	return &amqpConnection{conn, socket}, nil
}

// failure tells what will never work from what may work later.
func (c *amqpConnector) failure(parent, ctx context.Context, err error) error {
	refusal, spoken := errors.AsType[*amqp.Error](err)
	text := func() error { return errors.New("AMQP says " + connectors.Excerpt(c.secrets.Text(err.Error()))) }
	switch {
	case connectors.IsPermanent(err), errors.Is(err, errNack):
		return err
	case ctx.Err() != nil:
	case errors.Is(err, amqp.ErrCredentials), errors.Is(err, amqp.ErrVhost), errors.Is(err, amqp.ErrSASL):
		return connectors.Permanent(text())
	case errors.Is(err, amqp.ErrClosed), spoken && !refusal.Server: // the library's own words hold addresses
		return connectors.NetworkError("connection closed before the answer was complete", nil)
	case spoken:
		err = fmt.Errorf("%d %s", refusal.Code, refusal.Reason)
		switch refusal.Code {
		case amqp.ContentTooLarge, amqp.AccessRefused, amqp.NotFound, amqp.PreconditionFailed, amqp.NotAllowed, amqp.NotImplemented:
			return connectors.Permanent(text())
		}
		return text()
	}
	return c.dialer.failure(parent, ctx, err, c.deps.Timeout)
}

// TestInfo implements Tester.
func (c *amqpConnector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "logs in to the broker and opens a channel"}
}

// Test implements Tester.
func (c *amqpConnector) Test(parent context.Context, _ event.DeliveryID) (connectors.TestResult, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	channel, err := c.channel(ctx)
	if err != nil {
		return connectors.TestResult{}, c.failure(parent, ctx, err)
	}
	product, _ := channel.conn.Properties["product"].(string)
	c.keep(channel)
	return connectors.TestResult{Said: "logged in to " + connectors.Excerpt(cmp.Or(product, "the broker"))}, nil
}

// Close ends the connection; the next attempt would make another.
func (c *amqpConnector) Close() error {
	if conn, open := c.conn.drop(); open && !conn.IsClosed() {
		const patience = time.Second // for the broker's farewell
		defer time.AfterFunc(patience, func() { _ = conn.socket.Close() }).Stop()
		return conn.CloseDeadline(time.Now().Add(patience))
	}
	return nil
}

// amqpYAML is an amqp connection as it is written.
type amqpYAML struct {
	URL        event.Secret  `yaml:"url,required" doc:"The broker: amqps://host/vhost, or amqp:// without TLS. It may hold user and password." example:"amqps://hookgate:${AMQP_PASSWORD}@mq.agency.example/site"`
	User       string        `yaml:"user" doc:"Who signs in, if the URL does not say." example:"hookgate"`
	Password   event.Secret  `yaml:"password" doc:"The password to sign in with, if the URL does not say." example:"${AMQP_PASSWORD}"`
	Exchange   string        `yaml:"exchange" doc:"The exchange of messages, unless the action has one; the default one brings them to the queue that the routing key names." default:"the default exchange" example:"website"`
	RoutingKey yamlnode.Text `yaml:"routing_key" doc:"The routing key of messages, unless the action has one." example:"website.events"`
	tlsFiles
}

// amqpSettings is an amqp connection, checked.
type amqpSettings struct {
	url                  string // without a login, as the library dials it
	raw                  *url.URL
	vhost                string
	user, password       string
	exchange, routingKey string
	config               *tls.Config
}

func (s *amqpSettings) secrets() []string {
	list := []string{s.password, "\x00" + s.user + "\x00" + s.password}
	if s.raw != nil && s.raw.User != nil {
		list = append(list, s.raw.String(), s.raw.User.String())
	}
	return list
}

func (s *amqpSettings) login() []amqp.Authentication {
	return []amqp.Authentication{&amqp.PlainAuth{Username: s.user, Password: s.password}}
}

func readAMQPSettings(n yamlnode.Node, deps connectors.Deps) (amqpSettings, diag.List) {
	var y amqpYAML
	list := n.Decode("an amqp connection", &y, connectors.CommonKeys()...)
	s := amqpSettings{user: y.User, password: y.Password.Reveal(), exchange: y.Exchange, routingKey: y.RoutingKey.Value}
	config, faults := y.config(n)
	s.config = config
	list = append(list, faults...)
	if n.Get("user").IsZero() != n.Get("password").IsZero() {
		list = append(list, n.Diag("missing-key", "", `"user" and "password" go together`))
	}
	if node := n.Get("url"); node.Kind() == yamlnode.Scalar {
		list = append(list, s.readURL(node, y.URL.Reveal(), deps)...)
	}
	if s.user == "" {
		s.user, s.password = "guest", "guest" // RabbitMQ's, for this machine only
	}
	return s, list
}

// readURL takes the broker's address; the messages do not hold it.
func (s *amqpSettings) readURL(n yamlnode.Node, raw string, deps connectors.Deps) diag.List {
	const hint = "write amqps://host/vhost"
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "amqp" && u.Scheme != "amqps" || u.RawQuery != "" || u.Fragment != "" {
		return diag.List{n.Diag("bad-url", hint, `"url" is no address of an AMQP broker`)}
	}
	s.raw = u
	vhost, err := url.PathUnescape(strings.TrimPrefix(u.EscapedPath(), "/"))
	if err != nil || strings.Contains(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		return diag.List{n.Diag("bad-url", "a / in a vhost's name is written %2f", `the vhost of "url" is not understood`)}
	}
	s.vhost = cmp.Or(vhost, "/")
	port := cmp.Or(u.Port(), map[string]string{"amqp": "5672", "amqps": "5671"}[u.Scheme])
	address := net.JoinHostPort(u.Hostname(), port)
	s.url = u.Scheme + "://" + address
	if u.User != nil {
		if s.user != "" {
			return diag.List{n.Diag("conflict", "keep one of them", `both "url" and "user" say who signs in`)}
		}
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	list := checkHost(n.Text(), address, deps.Egress)
	if u.Scheme == "amqp" {
		list = append(list, unencrypted(n.Text(), u.Hostname(), "write amqps:// in place of amqp://")...)
	}
	s.config.ServerName = u.Hostname()
	return list
}
