package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

// Answer is what a sender is answered that tries an address, with status 200.
// What it tried with is no event.
type Answer struct {
	ContentType, Body string
	Header, Value     string // a header field of the answer; "" is none
}

// text answers with what the sender gave, as plain text: nobody's browser takes
// it for a page.
func text(body string) *Answer {
	return &Answer{ContentType: "text/plain; charset=utf-8", Body: body}
}

// fields answers with a JSON object.
func fields(values map[string]string) *Answer {
	encoded, err := json.Marshal(values)
	if err != nil { // texts cannot fail
		return nil
	}
	return &Answer{ContentType: "application/json", Body: string(encoded)}
}

// ErrBadVerifyToken reports that a sender that tries the address has not the
// verify token that it was given.
var ErrBadVerifyToken = errors.New("wrong hub.verify_token")

// handshake is how one sender tries an address before it sends events there.
// It tells what to answer to a request; nil: the request is none of its tries.
type handshake struct {
	name, doc string
	// header sees the request without its body, before its signature is
	// verified: these tries are not signed. nil: the body has to be known.
	header func(c *challenge, r *Request, query url.Values) (*Answer, error)
	// body sees the data of a request that is proven. nil: the header tells.
	body func(c *challenge, data *jsondoc.Doc) *Answer
}

// challenge is the handshake of one source. The zero challenge answers nothing.
type challenge struct {
	handshake
	verifyToken event.Secret // zero: none is asked for
	secret      event.Secret
}

// handshakes are those that config.yaml may choose. The pages named are where
// each is described.
var handshakes = []handshake{
	hub,
	{ // dropbox.com/developers/reference/webhooks, "The verification request"
		name: "dropbox", doc: "Dropbox: GET with challenge in the query",
		header: func(_ *challenge, r *Request, query url.Values) (*Answer, error) {
			if r.Method != http.MethodGet || !query.Has("challenge") {
				return nil, nil
			}
			return text(query.Get("challenge")), nil
		},
	},
	{ // learn.microsoft.com, "Receive change notifications through webhooks", notificationUrl validation
		name: "microsoft-graph", doc: "Microsoft Graph: POST with validationToken in the query",
		header: func(_ *challenge, r *Request, query url.Values) (*Answer, error) {
			if r.Method != http.MethodPost || !query.Has("validationToken") {
				return nil, nil
			}
			return text(query.Get("validationToken")), nil
		},
	},
	{ // developers.asana.com, "Webhooks", the webhook handshake
		name: "asana", doc: "Asana: POST with the header X-Hook-Secret, which is sent back",
		header: func(_ *challenge, r *Request, _ url.Values) (*Answer, error) {
			secret := r.Header("X-Hook-Secret")
			if r.Method != http.MethodPost || secret == "" {
				return nil, nil
			}
			return &Answer{Header: "X-Hook-Secret", Value: secret}, nil
		},
	},
	{ // developers.zoom.us, "Using webhooks", challenge-response check
		name: "zoom", doc: "Zoom: the event endpoint.url_validation, whose plainToken is signed",
		body: func(c *challenge, data *jsondoc.Doc) *Answer {
			plain := lookupText(data, "payload", "plainToken")
			// What Zoom signs of an event is v0:time:body. Nothing of that form is
			// signed here, or a request could be forged with the answer.
			if lookupText(data, "event") != "endpoint.url_validation" || plain == "" || strings.Contains(plain, ":") {
				return nil
			}
			mac := hmac.New(sha256.New, []byte(c.secret.Reveal()))
			mac.Write([]byte(plain))
			return fields(map[string]string{"plainToken": plain, "encryptedToken": hex.EncodeToString(mac.Sum(nil))})
		},
	},
	{ // developer.monday.com, "Webhooks", "Verifying the URL"
		name: "monday", doc: "Monday: a body of challenge alone, which is sent back",
		body: func(_ *challenge, data *jsondoc.Doc) *Answer {
			if _, event := data.Lookup("event"); event {
				return nil
			}
			if token := lookupText(data, "challenge"); token != "" {
				return fields(map[string]string{"challenge": token})
			}
			return nil
		},
	},
}

// hub is how Meta's products and WebSub (w3.org/TR/websub, section 5.3) try an
// address: developers.facebook.com, "Webhooks", "Validating Verification
// Requests".
var hub = handshake{
	name: "hub", doc: "hub.challenge, as of Facebook, WhatsApp, Instagram and WebSub",
	header: func(c *challenge, r *Request, query url.Values) (*Answer, error) {
		if r.Method != http.MethodGet || query.Get("hub.mode") != "subscribe" || !query.Has("hub.challenge") {
			return nil, nil
		}
		if !c.verifyToken.IsZero() && !same(query.Get("hub.verify_token"), c.verifyToken.Reveal()) {
			return nil, ErrBadVerifyToken
		}
		return text(query.Get("hub.challenge")), nil
	},
}

// slackEvents is how Slack's Events API tries a URL before it sends anything
// else (docs.slack.dev, "url_verification event"). It comes with the scheme slack.
var slackEvents = handshake{
	name: "slack",
	body: func(_ *challenge, data *jsondoc.Doc) *Answer {
		if value := lookupText(data, "challenge"); value != "" && lookupText(data, "type") == "url_verification" {
			return text(value)
		}
		return nil
	},
}

// lookupText is a text of the data; "" where there is none.
func lookupText(data *jsondoc.Doc, path ...string) string {
	value, _ := data.Lookup(path...)
	found, _ := value.(string)
	return found
}

// Handshake is the answer to a request that only tries the address: a HEAD, or
// a try of the sender that its header tells. nil is an ordinary request. The
// URL's token has to be known to be right. The error is ErrBadVerifyToken.
func (s *Source) Handshake(r *Request) (*Answer, error) {
	if r.Method == http.MethodHead {
		return &Answer{}, nil
	}
	if s.challenge.header == nil {
		return nil, nil
	}
	_, raw, _ := strings.Cut(r.URL, "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, nil //nolint:nilerr // no sender tries an address by a query that cannot be read
	}
	return s.challenge.header(&s.challenge, r, query)
}

// HandshakeBody is the answer to a proven request whose body tells that it only
// tries the address; nil is an ordinary request.
func (s *Source) HandshakeBody(data *jsondoc.Doc) *Answer {
	if s.challenge.body == nil {
		return nil
	}
	return s.challenge.body(&s.challenge, data)
}

// Ping is the answer to the one request that WooCommerce does not sign: with
// webhook_id=5 it tries the address of a new webhook, and disables a webhook
// whose address refuses that (WC_Webhook::deliver_ping). nil: r is none.
func (s *Source) Ping(r *Request) *Answer {
	v, signed := s.verify.(*hmacVerifier)
	if !signed || !strings.EqualFold(v.Header, "X-WC-Webhook-Signature") || r.Header(v.Header) != "" || r.Method != http.MethodPost {
		return nil
	}
	id, found := strings.CutPrefix(string(r.Body), "webhook_id=")
	if !found || id == "" || strings.Trim(id, "0123456789") != "" {
		return nil
	}
	return &Answer{}
}

// Handshakes are the names that `challenge: { scheme: … }` takes.
func Handshakes() []string {
	names := make([]string, len(handshakes))
	for i, h := range handshakes {
		names[i] = h.name
	}
	return names
}

type hubKeys struct {
	schemeKeys
	VerifyToken yamlnode.Text `yaml:"verify_token" doc:"The verify token that the sender was given. Needed where the URL has no token." example:"${META_VERIFY_TOKEN}" type:"secret"`
}

type zoomKeys struct {
	schemeKeys
	Secret yamlnode.Text `yaml:"secret,required" doc:"The app's secret token." example:"${ZOOM_SECRET_TOKEN}" type:"secret"`
}

// describeHandshakes tells what `challenge` can hold.
func describeHandshakes() []yamlnode.Spec {
	var list []yamlnode.Spec
	for _, h := range handshakes {
		one := yamlnode.Describe[schemeKeys]()
		switch h.name {
		case "hub":
			one = yamlnode.Describe[hubKeys]()
		case "zoom":
			one = yamlnode.Describe[zoomKeys]()
		}
		one.Name, one.Doc = h.name, h.doc
		list = append(list, one)
	}
	return list
}

// handshake compiles `challenge`, or what is known of the scheme of `verify`.
// Who knows the token in the URL may subscribe it by hub.challenge in any case.
func (b *builder) handshake(n yamlnode.Node, sender scheme) {
	c := &b.source.challenge
	switch {
	case n.IsZero() && sender.name == "slack":
		c.handshake = slackEvents
	case n.IsZero() && b.source.TokenInPath():
		c.handshake = hub
	case n.IsZero():
	case n.Kind() != yamlnode.Map:
		b.fail(n.Diag("wrong-type", "write challenge: { scheme: "+strings.Join(Handshakes(), " | ")+" }", `"challenge" must be a mapping`))
	default:
		b.chosenHandshake(n)
	}
}

func (b *builder) chosenHandshake(n yamlnode.Node) {
	c, known, name := &b.source.challenge, Handshakes(), n.Get("scheme").Text()
	i := slices.Index(known, name.Value)
	if i < 0 && name.Value == "" {
		b.fail(n.Diag("missing-key", "it can be "+strings.Join(known, ", "), `"challenge" needs "scheme"`))
		return
	}
	if i < 0 {
		hint := diag.DidYouMean(name.Value, known)
		if hint == "" {
			hint = "it can be " + strings.Join(known, ", ")
		}
		b.fail(name.Diag("unknown-scheme", hint, "there is no challenge %q", name.Value))
		return
	}
	c.handshake = handshakes[i]
	noun := "the challenge " + c.name
	switch c.name {
	case "hub":
		var keys hubKeys
		b.fail(n.Decode(noun, &keys)...)
		c.verifyToken = b.filled(n, "verify_token", keys.VerifyToken)
		if n.Get("verify_token").IsZero() && !b.source.TokenInPath() {
			b.fail(n.Diag("missing-key", "set the verify token that the sender was given, or a token that makes the URL secret",
				`"challenge" needs "verify_token": anyone could subscribe this address`))
		}
	case "zoom":
		var keys zoomKeys
		b.fail(n.Decode(noun, &keys)...)
		c.secret = b.filled(n, "secret", keys.Secret)
	default:
		var keys schemeKeys
		b.fail(n.Decode(noun, &keys)...)
	}
}

// filled is the secret under a key, and refuses an empty one.
func (b *builder) filled(n yamlnode.Node, key string, given yamlnode.Text) event.Secret {
	if n.Get(key).Kind() == yamlnode.Scalar && given.Value == "" {
		b.fail(given.Diag("empty-value", "", "%q is empty: anyone would know it", key))
	}
	return event.NewSecret(given.Value)
}
