package connectors

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func kafkaKind() Kind {
	return Kind{
		Name:     "kafka",
		Doc:      "A record to a Kafka topic, acknowledged by all in-sync replicas.",
		Settings: settingsOf[kafkaYAML](),
		Action:   kafkaAction(),
		Narrow:   func(n yamlnode.Node) lang.Action { return needsPlace(kafkaAction(), n, "topic") },
		New:      newKafka,
	}
}

func kafkaAction() lang.Action {
	return lang.Action{
		Noun: "an action to Kafka",
		Inputs: brokerInputs(
			lang.Input{Name: "topic", Doc: "The topic, in place of the connection's.", Kind: lang.TextInput},
			lang.Input{Name: "key", Doc: "The key: records with the same key go to one partition, in their order.", Kind: lang.TextInput},
		),
		Check: checkBrokerBody("an action to Kafka"),
	}
}

// kafkaConnector produces with one idempotent client.
type kafkaConnector struct {
	settings kafkaSettings
	secrets  *redactor
	deps     Deps
	dialer   *brokerDialer
	client   *slot[*kgo.Client]
}

func newKafka(n yamlnode.Node, deps Deps) (Connector, diag.List) {
	settings, list := readKafkaSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.withDefaults()
	return &kafkaConnector{
		settings: settings, deps: deps, secrets: newRedactor(settings.secrets()...),
		dialer: &brokerDialer{client: deps.Egress}, client: newSlot[*kgo.Client](),
	}, list
}

// Deliver produces one record and waits until all in-sync replicas have it.
// Its header message-id is the delivery's id: Kafka drops the repeats of its
// own client only, so that consumers that must not act twice look at it.
func (c *kafkaConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := readBrokerMessage(d, "Kafka")
	if err != nil {
		return event.Receipt{}, Permanent(err)
	}
	record := &kgo.Record{Topic: or(m.Topic, c.settings.topic), Value: m.body}
	if record.Topic == "" {
		return event.Receipt{}, Permanent(errors.New("the topic is empty"))
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
		Outputs: map[string]string{
			"topic": r.Topic, "partition": strconv.Itoa(int(r.Partition)), "offset": strconv.FormatInt(r.Offset, 10),
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
		return nil, Permanent(fmt.Errorf("the client cannot be made: %w", err))
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
				return &networkError{"timeout after " + seconds(c.deps.Timeout), context.DeadlineExceeded}
			}
		}
		return c.dialer.brokerError(parent, ctx, err, c.deps.Timeout)
	}
	text := errors.New("Kafka says " + excerpt(c.secrets.text(refusal.Message+": "+refusal.Description)))
	if !refusal.Retriable || errors.Is(refusal, kerr.UnknownTopicOrPartition) {
		return Permanent(text)
	}
	return text
}

// Trial implements Tester.
func (c *kafkaConnector) Trial() Trial {
	return Trial{What: "logs in to a broker of Kafka"}
}

// Try implements Tester.
func (c *kafkaConnector) Try(parent context.Context, _ event.DeliveryID) (Tried, error) {
	ctx, cancel := context.WithTimeout(parent, c.deps.Timeout)
	defer cancel()
	client, err := c.client.get(ctx, func(*kgo.Client) bool { return true }, c.connect)
	if err == nil {
		err = ping(ctx, client)
	}
	if err != nil {
		return Tried{}, c.failure(parent, ctx, err)
	}
	return Tried{Said: "logged in"}, nil
}

// Close ends the client; the next attempt would make another.
func (c *kafkaConnector) Close() error {
	if client, open := c.client.drop(); open {
		client.Close()
	}
	return nil
}
