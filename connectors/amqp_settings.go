package connectors

import (
	"crypto/tls"
	"net"
	"net/url"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// amqpYAML is an amqp connection as it is written.
type amqpYAML struct {
	URL        event.Secret  `yaml:"url,required" doc:"The broker: amqps://host/vhost, or amqp:// without TLS. It may hold user and password." example:"amqps://hookgate:${AMQP_PASSWORD}@mq.agency.example/site"`
	User       string        `yaml:"user" doc:"Who signs in, if the URL does not say." example:"hookgate"`
	Password   event.Secret  `yaml:"password" doc:"The password to sign in with, if the URL does not say." example:"${AMQP_PASSWORD}"`
	Exchange   string        `yaml:"exchange" doc:"The exchange of messages, unless the action has one; the default one brings them to the queue that the routing key names." default:"the default exchange" example:"website"`
	RoutingKey yamlnode.Text `yaml:"routing_key" doc:"The routing key of messages, unless the action has one." example:"website.events"`
	brokerTLS
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

func readAMQPSettings(n yamlnode.Node, deps Deps) (amqpSettings, diag.List) {
	var y amqpYAML
	list := n.Decode("an amqp connection", &y, CommonKeys()...)
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
func (s *amqpSettings) readURL(n yamlnode.Node, raw string, deps Deps) diag.List {
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
	s.vhost = or(vhost, "/")
	port := or(u.Port(), map[string]string{"amqp": "5672", "amqps": "5671"}[u.Scheme])
	address := net.JoinHostPort(u.Hostname(), port)
	s.url = u.Scheme + "://" + address
	if u.User != nil {
		if s.user != "" {
			return diag.List{n.Diag("conflict", "keep one of them", `both "url" and "user" say who signs in`)}
		}
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	list := checkBrokerHost(n.Text(), address, deps.Egress)
	if u.Scheme == "amqp" {
		list = append(list, unencrypted(n.Text(), u.Hostname(), "write amqps:// in place of amqp://")...)
	}
	s.config.ServerName = u.Hostname()
	return list
}
