package connectors

import (
	"crypto/tls"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// kafkaYAML is a kafka connection as it is written.
type kafkaYAML struct {
	Brokers  []yamlnode.Text `yaml:"brokers,single,required" doc:"Brokers to begin with, as host:port; the others of the cluster are found by them." example:"[kafka-1.example:9093, kafka-2.example:9093]"`
	Topic    string          `yaml:"topic" doc:"The topic of records, unless the action has one." example:"website-events"`
	TLS      *bool           `yaml:"tls" doc:"Whether connections are encrypted." default:"true"`
	User     yamlnode.Text   `yaml:"user" doc:"Who signs in." example:"hookgate"`
	Password event.Secret    `yaml:"password" doc:"The password to sign in with." example:"${KAFKA_PASSWORD}"`
	SASL     yamlnode.Text   `yaml:"sasl" doc:"How user and password are sent." values:"scram-sha-512,scram-sha-256,plain" default:"scram-sha-512"`
	brokerTLS
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

func readKafkaSettings(n yamlnode.Node, deps Deps) (kafkaSettings, diag.List) {
	var y kafkaYAML
	list := n.Decode("a kafka connection", &y, CommonKeys()...)
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
		list = append(list, checkBrokerHost(t, address, deps.Egress)...)
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
	switch or(y.SASL.Value, "scram-sha-512") {
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
