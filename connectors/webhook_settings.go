package connectors

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors/oauth"
	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// webhookYAML is a webhook connection as it is written.
type webhookYAML struct {
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

// webhookSettings is a webhook connection, checked.
type webhookSettings struct {
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
	outputs   recipe.Outputs
}

func (s *webhookSettings) secrets() []string {
	list := append(urlSecrets(s.url), s.signing, strings.TrimPrefix(s.signing, secretPrefix))
	for name, value := range s.headers {
		list = append(list, headerSecrets(name, value)...)
	}
	if s.oauth != nil {
		list = append(list, s.oauth.Secrets()...)
	}
	return list
}

func readWebhookSettings(n yamlnode.Node, deps Deps) (webhookSettings, diag.List) {
	var y webhookYAML
	list := n.Decode("a webhook connection", &y, CommonKeys()...)
	s := webhookSettings{method: http.MethodPost, success: statuses{{200, 299}}, headers: map[string]string{}}
	if node := n.Get("url"); node.Kind() == yamlnode.Scalar {
		var faults diag.List
		s.url, faults = checkURL(node, y.URL, deps.Egress)
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
	if s.format = or(y.Format.Value, "json"); s.format != "json" && s.format != cloudEvents {
		list = append(list, y.Format.Diag("bad-value", "", `"format" must be json or cloudevents, not %q`, s.format))
	}
	s.outputs = y.Outputs.read
	return s, append(list, s.readSuccess(y.Success)...)
}

// checkURL checks the URL in node, and warns where its host is written as an
// address that client will refuse. The messages do not hold the URL.
func checkURL(node yamlnode.Node, raw event.Secret, client *egress.Client) (*url.URL, diag.List) {
	key := keyName(node)
	u, err := egress.CheckURL(raw.Reveal())
	if err != nil {
		var hinted interface{ Hint() string }
		hint := ""
		if errors.As(err, &hinted) {
			hint = hinted.Hint()
		}
		return nil, diag.List{node.Diag("bad-url", hint, "%q is no usable URL: %s", key, err)}
	}
	addr, notAddress := netip.ParseAddr(u.Hostname())
	if notAddress == nil && client != nil && client.Check(addr) != nil {
		warning := node.Diag("private-address", "allow it with outbound.allow_private", "%q is not a public address: nothing can be sent there", key)
		warning.Severity = diag.Warning
		return u, diag.List{warning}
	}
	return u, nil
}

// keyName is the last part of a node's path.
func keyName(n yamlnode.Node) string {
	path := n.Text().Path()
	return path[strings.LastIndexByte(path, '.')+1:]
}

// methods are those a request can have.
func methods() []string { return []string{"POST", "PUT", "PATCH", "DELETE", "GET"} }

func checkMethod(text yamlnode.Text) diag.List {
	if slices.Contains(methods(), strings.ToUpper(text.Value)) {
		return nil
	}
	return diag.List{text.Diag("bad-value", "it can be "+strings.Join(methods(), ", "), "%q is no method that can be used here", text.Value)}
}

func (s *webhookSettings) readHeaders(n yamlnode.Node, headers map[string]event.Secret) diag.List {
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

func (s *webhookSettings) readAuth(n yamlnode.Node, auth *authYAML) diag.List {
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

func (s *webhookSettings) readSigning(n yamlnode.Node, secret event.Secret) diag.List {
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
