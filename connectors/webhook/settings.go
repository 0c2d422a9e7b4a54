package webhook

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors"
	"hookgate/connectors/oauth"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// settingsYAML is a webhook connection as it is written.
type settingsYAML struct {
	URL           event.Secret            `yaml:"url,required" doc:"The address that requests go to; it may hold a key." example:"https://api.billing.example/v1/subscriptions"`
	Method        yamlnode.Text           `yaml:"method" doc:"The method of every request, unless the action has one." values:"POST,PUT,PATCH,DELETE,GET" default:"POST"`
	Headers       map[string]event.Secret `yaml:"headers" doc:"Headers of every request." example:"{ X-Api-Key: \"${API_KEY}\" }"`
	Auth          *authYAML               `yaml:"auth" doc:"How requests log in: basic, bearer or oauth2." example:"{ bearer: \"${API_TOKEN}\" }"`
	SigningSecret event.Secret            `yaml:"signing_secret" doc:"Signs every request as Standard Webhooks describes." example:"${SIGNING_SECRET}"`
	Format        yamlnode.Text           `yaml:"format" doc:"What the body is: the json as it is, or a CloudEvent around it." values:"json,cloudevents" default:"json"`
	TLS           *tlsYAML                `yaml:"tls" doc:"Our certificate, and the authorities of the receiver's." example:"{ cert: /etc/hookgate/client.pem, key: /etc/hookgate/client.key }"`
	Success       []yamlnode.Text         `yaml:"success,single" doc:"What counts as delivered: statuses (204, 200-299, 2xx), or an expression over status, headers, body and text." default:"2xx" example:"[2xx, 409]"`
	Outputs       outputsYAML             `yaml:"outputs" doc:"What is read from the answer and kept with the delivery: names, each with an expression over status, headers, body and text." example:"{ id: body.id, url: 'headers[\"location\"]' }"`
}

type authYAML struct {
	Basic  *basicYAML    `yaml:"basic" doc:"User and password (RFC 7617)." example:"{ user: hookgate, password: \"${API_PASSWORD}\" }"`
	OAuth2 *oauthYAML    `yaml:"oauth2" doc:"OAuth 2.0 client credentials (RFC 6749, section 4.4)." example:"{ token_url: https://login.billing.example/oauth/token, client_id: hookgate, client_secret: \"${OAUTH_SECRET}\" }"`
	Bearer *event.Secret `yaml:"bearer" doc:"A token, sent as Authorization: Bearer." example:"${API_TOKEN}"`
}

// Noun names the mapping in messages.
func (authYAML) Noun() string { return "auth" }

type basicYAML struct {
	User     event.Secret `yaml:"user,required" doc:"The user's name, without a colon." example:"hookgate"`
	Password event.Secret `yaml:"password,required" doc:"The password." example:"${API_PASSWORD}"`
}

// Noun names the mapping in messages.
func (basicYAML) Noun() string { return "basic" }

// settings is a webhook connection, checked.
type settings struct {
	url     *url.URL
	method  string
	headers map[string]string // canonical names; with Authorization, if any
	success statuses
	signer  *signer // nil: not signed
	signing string  // the signing secret as it is written
	format  string
	oauth   *oauth.Config // nil: another login, or none
	tls     *tls.Config   // nil: the usual
	// condition, where set, decides in place of success.
	condition *lang.Predicate
	outputs   connectors.Outputs
}

func (s *settings) secrets() []string {
	list := append(connectors.URLSecrets(s.url), s.signing, strings.TrimPrefix(s.signing, secretPrefix))
	for name, value := range s.headers {
		list = append(list, connectors.HeaderSecrets(name, value)...)
	}
	if s.oauth != nil {
		list = append(list, s.oauth.Secrets()...)
	}
	return list
}

func readSettings(n yamlnode.Node, deps connectors.Deps) (settings, diag.List) {
	var y settingsYAML
	list := n.Decode("a webhook connection", &y, connectors.CommonKeys()...)
	s := settings{method: http.MethodPost, success: statuses{{200, 299}}, headers: map[string]string{}}
	if node := n.Get("url"); node.Kind() == yamlnode.Scalar {
		var faults diag.List
		s.url, faults = connectors.CheckURL(node, y.URL, deps.Egress)
		list = append(list, faults...)
	}
	if !y.Method.IsZero() {
		s.method = strings.ToUpper(y.Method.Value)
		list = append(list, checkMethod(y.Method)...)
	}
	list = append(list, s.readHeaders(n.Get("headers"), y.Headers)...)
	list = append(list, s.readAuth(n.Get("auth"), y.Auth)...)
	if node := n.Get("signing_secret"); node.Kind() == yamlnode.Scalar {
		list = append(list, s.readSigning(node, y.SigningSecret)...)
	}
	if y.Auth != nil && y.Auth.OAuth2 != nil {
		list = append(list, s.readOAuth(n.Get("auth").Get("oauth2"), y.Auth.OAuth2, deps)...)
	}
	list = append(list, s.readTLS(n.Get("tls"), y.TLS)...)
	if s.format = cmp.Or(y.Format.Value, "json"); s.format != "json" && s.format != cloudEvents {
		list = append(list, y.Format.Diag("bad-value", "", `"format" must be json or cloudevents, not %q`, s.format))
	}
	s.outputs = y.Outputs.read
	return s, append(list, s.readSuccess(y.Success)...)
}

// methods are those a request can have.
func methods() []string { return []string{"POST", "PUT", "PATCH", "DELETE", "GET"} }

func checkMethod(text yamlnode.Text) diag.List {
	if slices.Contains(methods(), strings.ToUpper(text.Value)) {
		return nil
	}
	return diag.List{text.Diag("bad-value", "it can be "+strings.Join(methods(), ", "), "%q is no method that can be used here", text.Value)}
}

func (s *settings) readHeaders(n yamlnode.Node, headers map[string]event.Secret) diag.List {
	var list diag.List
	for _, f := range n.Fields() {
		name, value := f.Key.Value, headers[f.Key.Value].Reveal()
		if reason := headerNameFault(name); reason != "" {
			list = append(list, f.Key.Diag("bad-header", "", "the header %q %s", name, reason))
			continue
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			list = append(list, f.Value.Diag("bad-header", "", "the value of the header %q holds a line break or another control character", name))
			continue
		}
		canonical := http.CanonicalHeaderKey(name)
		if _, twice := s.headers[canonical]; twice {
			list = append(list, f.Key.Diag("duplicate-key", "", "the header %q stands twice here: case does not count", name))
		}
		s.headers[canonical] = value
	}
	return list
}

// headerNameFault says why a header cannot be set, "" when it can. What
// frames the message or belongs to one connection only is not the user's to
// set, nor what identifies and signs it.
func headerNameFault(name string) string {
	switch lower := strings.ToLower(name); lower {
	case "host":
		return "cannot be set: it follows from the URL"
	case "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
		"proxy-authenticate", "proxy-authorization", "proxy-connection", "expect":
		return "cannot be set: it belongs to the connection, not to the message"
	default:
		if strings.HasPrefix(lower, "webhook-") {
			return "cannot be set: hookgate sets it itself"
		}
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return "is not a valid header name"
	}
	return ""
}

func (s *settings) readAuth(n yamlnode.Node, auth *authYAML) diag.List {
	if auth == nil || n.Kind() != yamlnode.Map {
		return nil
	}
	var list diag.List
	value := ""
	switch {
	case auth.Basic != nil && auth.Bearer != nil, auth.OAuth2 != nil && (auth.Basic != nil || auth.Bearer != nil):
		list = append(list, n.Diag("conflict", "keep one of them", "auth is either basic or bearer or oauth2, not several of them"))
	case auth.OAuth2 != nil:
	case auth.Basic != nil:
		pair := auth.Basic.User.Reveal() + ":" + auth.Basic.Password.Reveal()
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
		if strings.Contains(auth.Basic.User.Reveal(), ":") {
			list = append(list, n.Get("basic").Get("user").Diag("bad-value", "", `"user" must not hold a colon`))
		}
	case auth.Bearer != nil:
		value = "Bearer " + auth.Bearer.Reveal()
		if token := auth.Bearer.Reveal(); token == "" || !httpguts.ValidHeaderFieldValue(token) {
			list = append(list, n.Get("bearer").Diag("bad-value", "", `"bearer" is empty or holds a line break`))
		}
	default:
		list = append(list, n.Diag("missing-key", "", `auth needs "basic", "bearer" or "oauth2"`))
	}
	if _, given := s.headers["Authorization"]; given {
		list = append(list, n.Diag("conflict", "keep one of them", "both auth and the header Authorization are set"))
	}
	if value != "" {
		s.headers["Authorization"] = value
	}
	return list
}

// secretPrefix marks a signing secret whose bytes are written in base64
// (Standard Webhooks, "Signature scheme").
const secretPrefix = "whsec_"

func (s *settings) readSigning(n yamlnode.Node, secret event.Secret) diag.List {
	s.signing = secret.Reveal()
	if strings.TrimSpace(s.signing) == "" {
		return diag.List{n.Diag("bad-value", "leave the key out to send unsigned", `"signing_secret" is empty`)}
	}
	key := []byte(s.signing)
	if encoded, found := strings.CutPrefix(s.signing, secretPrefix); found {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil || len(key) == 0 {
			return diag.List{n.Diag("bad-value", "", `"signing_secret" starts with whsec_ but what follows is not base64`)}
		}
	}
	s.signer = newSigner(key)
	return nil
}

// tlsYAML is how a connection shows who it is, as it is written.
type tlsYAML struct {
	Cert yamlnode.Text `yaml:"cert" doc:"A file with our certificate (PEM), for receivers that want one." example:"/etc/hookgate/client.pem"`
	Key  yamlnode.Text `yaml:"key" doc:"The file with its private key (PEM)." example:"/etc/hookgate/client.key"`
	CA   yamlnode.Text `yaml:"ca" doc:"A file of certificates (PEM) that the receiver's must be signed by, in place of the system's authorities." example:"/etc/hookgate/ca.pem"`
}

// Noun names the mapping in messages.
func (tlsYAML) Noun() string { return "tls" }

// readTLS reads the files. The certificate is read again at each handshake, so
// that a renewed one serves without a reload.
func (s *settings) readTLS(n yamlnode.Node, y *tlsYAML) diag.List {
	if y == nil || n.Kind() != yamlnode.Map {
		return nil
	}
	var list diag.List
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case y.Cert.IsZero() != y.Key.IsZero():
		list = append(list, n.Diag("missing-key", "", `tls needs both "cert" and "key", or neither`))
	case !y.Cert.IsZero():
		cert, key := connectors.BesideConfig(y.Cert), connectors.BesideConfig(y.Key)
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			list = append(list, y.Cert.Diag("bad-file", "", "the certificate and its key cannot be used: %s", connectors.FileFault(err)))
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(cert, key)
			return &pair, err
		}
	}
	if !y.CA.IsZero() {
		pool, faults := connectors.ReadAuthorities(y.CA)
		list = append(list, faults...)
		config.RootCAs = pool
	}
	s.tls = config
	return list
}
