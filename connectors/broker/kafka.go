package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Kafka is the kind of connection to such a broker.
func Kafka() connectors.Kind {
	k := connectors.Kind{
		Name:     "kafka",
		Doc:      "A record to a Kafka topic, acknowledged by all in-sync replicas.",
		Settings: connectors.SettingsOf[kafkaYAML](),
		Action:   kafkaAction(),
		Narrow:   func(n yamlnode.Node) lang.Action { return needsPlace(kafkaAction(), n, "topic") },
		New:      newKafka,
	}
	k.Example = connectors.ExampleOf(&k, "", "topic: site-leads\nkey: ${{ data.id }}\njson: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }")
	return k
}

func kafkaAction() lang.Action {
	return lang.Action{
		Noun: "an action to Kafka",
		Inputs: inputs(
			lang.Input{Name: "topic", Doc: "The topic, in place of the connection's.", Kind: lang.TextInput},
			lang.Input{Name: "key", Doc: "The key: records with the same key go to one partition, in their order.", Kind: lang.TextInput},
		),
		Check: checkBody("an action to Kafka"),
	}
}

// kafkaConnector produces with one idempotent client.
type kafkaConnector struct {
	settings kafkaSettings
	secrets  *connectors.Redactor
	deps     connectors.Deps
	dialer   *dialer
	client   *slot[*kgo.Client]
}

func newKafka(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readKafkaSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.WithDefaults()
	return &kafkaConnector{
		settings: settings, deps: deps, secrets: connectors.NewRedactor(settings.secrets()...),
		dialer: &dialer{client: deps.Egress}, client: newSlot[*kgo.Client](),
	}, list
}

// Deliver produces one record and waits until all in-sync replicas have it.
// Its header message-id is the delivery's id: Kafka drops the repeats of its
// own client only, so that consumers that must not act twice look at it.
func (c *kafkaConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := readMessage(d, "Kafka")
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	record := &kgo.Record{Topic: cmp.Or(m.Topic, c.settings.topic), Value: m.body}
	if record.Topic == "" {
		return event.Receipt{}, connectors.Permanent(errors.New("the topic is empty"))
	}
	if m.Key != nil {
		record.Key = []byte(*m.Key)
	}
	m.headers[messageIDHeader], m.headers["content-type"] = d.ID.String(), m.contentType
	for name, value := range m.headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	client, err := c.client.get(ctx, func(*kgo.Client) bool { return true }, c.connect)
	if err != nil {
		return event.Receipt{}, c.failure(parent, ctx, err)
	}
	// What is on its way cannot be called back: the client waits for the answer
	// longer than we may.
	type result struct {
		record *kgo.Record
		err    error
	}
	produced := make(chan result, 1)
	client.Produce(ctx, record, func(r *kgo.Record, err error) { produced <- result{r, err} })
	select {
	case <-ctx.Done():
		return event.Receipt{}, c.failure(parent, ctx, ctx.Err())
	case r := <-produced:
		if r.err != nil {
			return event.Receipt{}, c.failure(parent, ctx, r.err)
		}
		return kafkaReceipt(r.record), nil
	}
}

// kafkaReceipt says where a record stands.
func kafkaReceipt(r *kgo.Record) event.Receipt {
	return event.Receipt{
		Answer: said(map[string]any{"topic": r.Topic, "partition": r.Partition, "offset": r.Offset}),
		Outputs: map[string]event.Output{
			"topic": event.TextOutput(r.Topic), "partition": event.ScalarOutput(strconv.Itoa(int(r.Partition))), "offset": event.ScalarOutput(strconv.FormatInt(r.Offset, 10)),
		},
	}
}

// connect makes a client that has found a broker and logged in. Its goroutines
// outlive ctx, until Close.
func (c *kafkaConnector) connect(ctx context.Context) (*kgo.Client, error) {
	const tries = 3 // of one request, then it is the schedule's turn
	options := []kgo.Opt{
		kgo.SeedBrokers(c.settings.brokers...), kgo.ClientID("hookgate"), kgo.SoftwareNameAndVersion("hookgate", "1"),
		kgo.Dialer(func(ctx context.Context, _, address string) (net.Conn, error) {
			return c.dialer.dial(ctx, address, c.settings.config)
		}),
		// Acknowledged by all in-sync replicas, and idempotent: the client's own
		// defaults, which Deliver promises.
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(c.deps.Timeout), kgo.RequestRetries(tries), kgo.RecordRetries(tries), kgo.UnknownTopicRetries(1),
		kgo.ProducerLinger(0), kgo.DisableClientMetrics(),
	}
	if c.settings.mechanism != nil {
		options = append(options, kgo.SASL(c.settings.mechanism))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, connectors.Permanent(fmt.Errorf("the client cannot be made: %w", err))
	}
	if err := ping(ctx, client); err != nil {
		go client.Close() // it waits for a broker that does not answer
		return nil, err
	}
	return client, nil
}

// ping asks a broker for its name. It ends with ctx, which the client itself
// now and then outlives by its own ten seconds.
func ping(ctx context.Context, client *kgo.Client) error {
	answered := make(chan error, 1)
	go func() { answered <- client.Ping(ctx) }()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure tells what will never work from what may work later.
func (c *kafkaConnector) failure(parent, ctx context.Context, err error) error {
	refusal, spoken := errors.AsType[*kerr.Error](err)
	if !spoken {
		if errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) {
			if c.dialer.fault() == nil {
				return connectors.NetworkError("timeout after "+connectors.Seconds(c.deps.Timeout), context.DeadlineExceeded)
			}
		}
		return c.dialer.failure(parent, ctx, err, c.deps.Timeout)
	}
	text := errors.New("Kafka says " + connectors.Excerpt(c.secrets.Text(refusal.Message+": "+refusal.Description)))
	if !refusal.Retriable || errors.Is(refusal, kerr.UnknownTopicOrPartition) {
		return connectors.Permanent(text)
	}
	return text
}

// TestInfo implements Tester.
func (c *kafkaConnector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "logs in to a broker of Kafka"}
}

// Test implements Tester.
func (c *kafkaConnector) Test(parent context.Context, _ event.DeliveryID) (connectors.TestResult, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	client, err := c.client.get(ctx, func(*kgo.Client) bool { return true }, c.connect)
	if err == nil {
		err = ping(ctx, client)
	}
	if err != nil {
		return connectors.TestResult{}, c.failure(parent, ctx, err)
	}
	return connectors.TestResult{Said: "logged in"}, nil
}

// Close ends the client; the next attempt would make another.
func (c *kafkaConnector) Close() error {
	if client, open := c.client.drop(); open {
		client.Close()
	}
	return nil
}

// kafkaYAML is a kafka connection as it is written.
type kafkaYAML struct {
	Brokers  []yamlnode.Text `yaml:"brokers,single,required" doc:"Brokers to begin with, as host:port; the others of the cluster are found by them." example:"[kafka-1.example:9093, kafka-2.example:9093]"`
	Topic    string          `yaml:"topic" doc:"The topic of records, unless the action has one." example:"website-events"`
	TLS      *bool           `yaml:"tls" doc:"Whether connections are encrypted." default:"true"`
	User     yamlnode.Text   `yaml:"user" doc:"Who signs in." example:"hookgate"`
	Password event.Secret    `yaml:"password" doc:"The password to sign in with." example:"${KAFKA_PASSWORD}"`
	SASL     yamlnode.Text   `yaml:"sasl" doc:"How user and password are sent." values:"scram-sha-512,scram-sha-256,plain" default:"scram-sha-512"`
	tlsFiles
}

// kafkaSettings is a kafka connection, checked.
type kafkaSettings struct {
	brokers        []string
	topic          string
	user, password string
	mechanism      sasl.Mechanism // nil: nobody signs in
	config         *tls.Config    // nil: not encrypted
}

func (s *kafkaSettings) secrets() []string { return []string{s.password} }

func readKafkaSettings(n yamlnode.Node, deps connectors.Deps) (kafkaSettings, diag.List) {
	var y kafkaYAML
	list := n.Decode("a kafka connection", &y, connectors.CommonKeys()...)
	s := kafkaSettings{topic: y.Topic, user: y.User.Value, password: y.Password.Reveal()}
	config, faults := y.config(n)
	list = append(list, faults...)
	encrypted := y.TLS == nil || *y.TLS
	if encrypted {
		s.config = config
	} else if !y.CA.IsZero() || !y.Cert.IsZero() {
		list = append(list, n.Get("tls").Diag("conflict", "leave tls out, or the files", `"ca" and "cert" are for TLS, which is off`))
	}
	list = append(list, s.login(n, &y)...)
	for _, t := range y.Brokers {
		if t.IsZero() {
			continue // Decode has said so
		}
		address := t.Value
		if !strings.Contains(address, ":") {
			address = net.JoinHostPort(address, "9092")
		}
		s.brokers = append(s.brokers, address)
		list = append(list, checkHost(t, address, deps.Egress)...)
		host, _, _ := net.SplitHostPort(address)
		if !encrypted && s.password != "" {
			list = append(list, unencrypted(t, host, "leave tls out: it is on")...)
		}
	}
	if brokers := n.Get("brokers"); brokers.Kind() == yamlnode.List && len(brokers.Items()) == 0 {
		list = append(list, brokers.Diag("empty-value", "", `"brokers" is empty`))
	}
	return s, list
}

func (s *kafkaSettings) login(n yamlnode.Node, y *kafkaYAML) diag.List {
	if n.Get("user").IsZero() != n.Get("password").IsZero() {
		return diag.List{n.Diag("missing-key", "", `"user" and "password" go together`)}
	}
	if n.Get("user").IsZero() {
		if !y.SASL.IsZero() {
			return diag.List{y.SASL.Diag("missing-key", "", `"sasl" needs "user" and "password"`)}
		}
		return nil
	}
	switch cmp.Or(y.SASL.Value, "scram-sha-512") {
	case "plain":
		s.mechanism = plain.Auth{User: s.user, Pass: s.password}.AsMechanism()
	case "scram-sha-256":
		s.mechanism = scram.Auth{User: s.user, Pass: s.password}.AsSha256Mechanism()
	case "scram-sha-512":
		s.mechanism = scram.Auth{User: s.user, Pass: s.password}.AsSha512Mechanism()
	default:
		return diag.List{y.SASL.Diag("bad-value", "", `"sasl" must be scram-sha-512, scram-sha-256 or plain, not %q`, y.SASL.Value)}
	}
	return nil
}
