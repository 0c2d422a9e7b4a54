package connectors

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func natsKind() Kind {
	return Kind{
		Name:     "nats",
		Doc:      "A message to a NATS JetStream stream, stored before it counts as delivered.",
		Settings: settingsOf[natsYAML](),
		Action:   natsAction(),
		Narrow:   func(n yamlnode.Node) lang.Action { return needsPlace(natsAction(), n, "subject") },
		New:      newNATS,
	}
}

func natsAction() lang.Action {
	return lang.Action{
		Noun: "an action to NATS",
		Inputs: brokerInputs(lang.Input{
			Name: "subject", Doc: "The subject, in place of the connection's.", Kind: lang.TextInput,
		}),
		Check: checkBrokerBody("an action to NATS"),
	}
}

// natsConnector publishes to JetStream over one connection.
type natsConnector struct {
	settings natsSettings
	secrets  *redactor
	deps     Deps
	dialer   *brokerDialer
	conn     *slot[*nats.Conn]
}

func newNATS(n yamlnode.Node, deps Deps) (Connector, diag.List) {
	settings, list := readNATSSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.withDefaults()
	return &natsConnector{
		settings: settings, deps: deps, secrets: newRedactor(settings.secrets()...),
		dialer: &brokerDialer{client: deps.Egress}, conn: newSlot[*nats.Conn](),
	}, list
}

// Deliver publishes one message and waits until a stream has stored it. Its
// Nats-Msg-Id is the delivery's id, by which the stream drops a repeat within
// its duplicate window.
func (c *natsConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := readBrokerMessage(d, "NATS")
	if err != nil {
		return event.Receipt{}, Permanent(err)
	}
	msg := &nats.Msg{Subject: or(m.Subject, c.settings.subject), Data: m.body, Header: nats.Header{}}
	if err := checkSubject(msg.Subject); err != nil {
		return event.Receipt{}, Permanent(err)
	}
	msg.Header.Set("Content-Type", m.contentType)
	for name, value := range m.headers {
		if strings.HasPrefix(strings.ToLower(name), "nats-") {
			return event.Receipt{}, Permanent(fmt.Errorf("the header %s cannot be set: NATS gives it a meaning", excerpt(name)))
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
		Outputs: map[string]string{"stream": ack.Stream, "sequence": strconv.FormatUint(ack.Sequence, 10)},
	}, nil
}

// checkSubject refuses what cannot be published to.
func checkSubject(subject string) error {
	switch {
	case subject == "":
		return errors.New("the subject is empty")
	case strings.ContainsAny(subject, " \t\r\n\x00*>"), strings.Contains(subject, ".."), strings.HasPrefix(subject, "."), strings.HasSuffix(subject, "."):
		return fmt.Errorf("%s is no subject to publish to", excerpt(subject))
	}
	return nil
}

// connect logs in. ctx ends it at any point; the connection outlives ctx.
func (c *natsConnector) connect(ctx context.Context) (*nats.Conn, error) {
	dial := &natsDialer{ctx: ctx, dialer: c.dialer}
	defer dial.done()
	options := []nats.Option{
		nats.Name(c.deps.userAgent()), nats.SetCustomDialer(dial), nats.Timeout(c.deps.Timeout),
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
	dialer *brokerDialer
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
	text := func() error { return errors.New("NATS says " + excerpt(c.secrets.text(err.Error()))) }
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrPermissionViolation),
		errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrHeadersNotSupported),
		errors.Is(err, nats.ErrAccountAuthExpired), errors.Is(err, nats.ErrBadSubject):
		return Permanent(text())
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return errors.New("no stream takes messages with this subject")
	case errors.As(err, &api) && api.Code/100 == 4:
		return Permanent(text())
	case errors.As(err, &api):
		return text()
	case errors.Is(err, nats.ErrSecureConnWanted), errors.Is(err, nats.ErrSecureConnRequired):
		return &networkError{text: "TLS: the server does not speak it; is the URL tls instead of nats?"}
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrStaleConnection):
		if parent.Err() == nil && ctx.Err() == nil {
			return &networkError{text: "connection closed before the answer was complete"}
		}
	}
	return c.dialer.brokerError(parent, ctx, err, c.deps.Timeout)
}

// Trial implements Tester.
func (c *natsConnector) Trial() Trial {
	return Trial{What: "logs in to NATS and asks whether JetStream is on"}
}

// Try implements Tester.
func (c *natsConnector) Try(parent context.Context, _ event.DeliveryID) (Tried, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	conn, err := c.conn.get(ctx, (*nats.Conn).IsConnected, c.connect)
	if err != nil {
		return Tried{}, c.failure(parent, ctx, err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return Tried{}, c.failure(parent, ctx, err)
	}
	account, err := js.AccountInfo(ctx)
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return Tried{}, Permanent(errors.New("JetStream is not enabled"))
	case err != nil:
		return Tried{}, c.failure(parent, ctx, err)
	}
	return Tried{Said: fmt.Sprintf("logged in, JetStream has %d streams", account.Streams)}, nil
}

// Close ends the connection; the next attempt would make another.
func (c *natsConnector) Close() error {
	if conn, open := c.conn.drop(); open {
		conn.Close()
	}
	return nil
}
