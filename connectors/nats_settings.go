package connectors

import (
	"crypto/tls"
	"net"
	"net/url"

	"github.com/nats-io/nats.go"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// natsYAML is a nats connection as it is written.
type natsYAML struct {
	URL      []yamlnode.Text `yaml:"url,single,required" doc:"The server, or several of one cluster: nats://host:4222, or tls://host:4222, which insists on TLS." example:"tls://nats.example:4222"`
	Subject  yamlnode.Text   `yaml:"subject" doc:"The subject of messages, unless the action has one. A stream of JetStream must listen to it." example:"website.events"`
	User     string          `yaml:"user" doc:"Who signs in." example:"hookgate"`
	Password event.Secret    `yaml:"password" doc:"The password to sign in with." example:"${NATS_PASSWORD}"`
	Token    event.Secret    `yaml:"token" doc:"A token to sign in with, in place of user and password." example:"${NATS_TOKEN}"`
	Creds    yamlnode.Text   `yaml:"creds" doc:"A file of credentials (JWT and seed) to sign in with." example:"/etc/hookgate/nats.creds"`
	brokerTLS
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

func readNATSSettings(n yamlnode.Node, deps Deps) (natsSettings, diag.List) {
	var y natsYAML
	list := n.Decode("a nats connection", &y, CommonKeys()...)
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
		s.creds = besideConfig(y.Creds)
		if err := readable(s.creds); err != nil {
			list = append(list, y.Creds.Diag("bad-file", "", "the credentials cannot be read: %s", fileFault(err)))
		}
	}
	for _, t := range y.URL {
		list = append(list, s.addURL(t, deps, ways > 0)...)
	}
	return s, list
}

// addURL takes one server. A password in its URL would be shown as the URL is.
func (s *natsSettings) addURL(t yamlnode.Text, deps Deps, login bool) diag.List {
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
	list := checkBrokerHost(t, u.Host, deps.Egress)
	if u.Scheme == "tls" {
		s.secure = true
		return list
	}
	if login {
		list = append(list, unencrypted(t, u.Hostname(), "write tls:// in place of nats://")...)
	}
	return list
}
