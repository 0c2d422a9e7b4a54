package email

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// The ways to encrypt the connection to a mail server, as in `tls:`.
const (
	tlsAuto     = "auto"     // tls on port 465, else starttls
	tlsStart    = "starttls" // required: a server that does not offer it gets nothing
	tlsImplicit = "tls"
	tlsNone     = "none"
)

// The ports of message submission (RFC 8314, section 3.3) and of relaying.
const (
	portSubmission = 587
	portImplicit   = 465
	portRelay      = 25
)

// settingsYAML is an email connection as it is written.
type settingsYAML struct {
	From yamlnode.Text `yaml:"from,required" doc:"The sender: an address, or a name and an address." example:"Agency <hello@agency.example>"`
	SMTP *smtpYAML     `yaml:"smtp,required" doc:"The mail server." example:"{ host: mail.agency.example, user: hello, password: \"${SMTP_PASSWORD}\" }"`
}

type smtpYAML struct {
	Host     yamlnode.Text `yaml:"host,required" doc:"The mail server." example:"mail.agency.example"`
	Port     int           `yaml:"port" doc:"Its port; 465 with tls, 25 with none." default:"587" example:"465" min:"1" max:"65535"`
	User     string        `yaml:"user" doc:"Who signs in; often the whole address." example:"hello@agency.example"`
	Password event.Secret  `yaml:"password" doc:"The password to sign in with." example:"${SMTP_PASSWORD}"`
	TLS      yamlnode.Text `yaml:"tls" doc:"How the connection is encrypted; auto is tls on port 465, else starttls." values:"auto,starttls,tls,none" default:"auto"`
	CA       yamlnode.Text `yaml:"ca" doc:"A file of certificates (PEM) that the server's must be signed by, in place of the system's authorities." example:"/etc/hookgate/mail-ca.pem"`
}

// Noun names the mapping in messages.
func (smtpYAML) Noun() string { return "smtp" }

// KeyHint helps with other programs' words for the same things.
func (smtpYAML) KeyHint(key string) string {
	switch key {
	case "username", "login":
		return `did you mean "user"?`
	case "pass", "secret":
		return `did you mean "password"?`
	case "server", "hostname":
		return `did you mean "host"?`
	case "ssl", "secure", "encryption", "starttls":
		return `did you mean "tls"?`
	}
	return ""
}

// settings is an email connection, checked.
type settings struct {
	from           *mail.Address
	host           string
	port           int
	user, password string
	tls            string // tlsStart, tlsImplicit or tlsNone
	config         *tls.Config
}

func (s *settings) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

func (s *settings) secrets() []string {
	if s.password == "" {
		return nil
	}
	// As AUTH PLAIN and LOGIN send it, should the server repeat it.
	return []string{s.password, "\x00" + s.user + "\x00" + s.password}
}

func readSettings(n yamlnode.Node, deps connectors.Deps) (settings, diag.List) {
	var y settingsYAML
	list := n.Decode("an email connection", &y, connectors.CommonKeys()...)
	var s settings
	if !y.From.IsZero() {
		from, err := connectors.ParseAddress(y.From.Value)
		if err != nil {
			list = append(list, y.From.Diag("bad-address", "write it like Agency <hello@agency.example>", `"from" is no address: %s`, err))
		}
		s.from = from
	}
	node := n.Get("smtp")
	if y.SMTP == nil || node.Kind() != yamlnode.Map {
		return s, list
	}
	list = append(list, s.readServer(y.SMTP, deps)...)
	list = append(list, s.readEncryption(node, y.SMTP)...)
	return s, append(list, s.readLogin(node, y.SMTP)...)
}

func (s *settings) readServer(y *smtpYAML, deps connectors.Deps) diag.List {
	s.host, s.port = strings.TrimSpace(y.Host.Value), y.Port
	var list diag.List
	switch host := s.host; {
	case y.Host.IsZero():
	case strings.Contains(host, "://"):
		list = append(list, y.Host.Diag("bad-value", "write mail.agency.example", `"host" is a host, not a URL`))
	case strings.Contains(host, "/") || strings.ContainsAny(host, " \t\r\n@"):
		list = append(list, y.Host.Diag("bad-value", "write mail.agency.example", `%q is no host`, host))
	case strings.Count(host, ":") == 1:
		list = append(list, y.Host.Diag("bad-value", "the port has a key of its own: port", `"host" holds a port`))
	default:
		s.host = strings.Trim(host, "[]")
		addr, err := netip.ParseAddr(s.host)
		if err == nil && deps.Egress != nil && deps.Egress.Check(addr) != nil {
			warning := y.Host.Diag("private-address", "allow it with outbound.allow_private", `"host" is not a public address: nothing can be sent there`)
			warning.Severity = diag.Warning
			list = append(list, warning)
		}
	}
	return list
}

// readEncryption chooses the way and the port that is usual for it.
func (s *settings) readEncryption(n yamlnode.Node, y *smtpYAML) diag.List {
	var list diag.List
	mode := cmp.Or(y.TLS.Value, tlsAuto)
	switch mode {
	case tlsAuto:
		s.tls = tlsStart
		if s.port == portImplicit {
			s.tls = tlsImplicit
		}
	case tlsStart, tlsImplicit, tlsNone:
		s.tls = mode
	default:
		list = append(list, y.TLS.Diag("bad-value", "",
			`"tls" must be auto, starttls, tls or none, not %q`, mode))
	}
	if n.Get("port").IsZero() {
		s.port = map[string]int{tlsStart: portSubmission, tlsImplicit: portImplicit, tlsNone: portRelay}[s.tls]
	}
	if s.tls == tlsNone && !connectors.IsLoopback(s.host) {
		warning := y.TLS.Diag("no-encryption", "leave tls out, or write starttls", "mail to this server, and the password, can be read on the way")
		warning.Severity = diag.Warning
		list = append(list, warning)
	}
	s.config = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.host}
	if !y.CA.IsZero() {
		pool, faults := connectors.ReadAuthorities(y.CA)
		list = append(list, faults...)
		s.config.RootCAs = pool
	}
	return list
}

func (s *settings) readLogin(n yamlnode.Node, y *smtpYAML) diag.List {
	s.user, s.password = y.User, y.Password.Reveal()
	user, password := n.Get("user"), n.Get("password")
	switch {
	case !user.IsZero() && password.IsZero():
		return diag.List{n.Diag("missing-key", "", `smtp has "user" but no "password"`)}
	case user.IsZero() && !password.IsZero():
		return diag.List{n.Diag("missing-key", "it is often the whole address", `smtp has "password" but no "user"`)}
	}
	return nil
}
