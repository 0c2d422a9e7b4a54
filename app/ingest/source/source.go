// Package source holds the kinds of senders that hookgate accepts events
// from: how their requests are authenticated, where they keep the type and the
// id of an event, and how their repeats are recognised.
package source

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

var (
	// ErrBadToken reports that the token in the URL is missing or wrong.
	ErrBadToken = errors.New("wrong token")
	// ErrBadSignature reports that a request is not proven to come from its
	// sender. The error that wraps it says why; it holds nothing of a secret
	// or a signature, so it may be logged and stored.
	ErrBadSignature = errors.New("not verified")
)

// FallbackType is the type of an event whose sender names none.
const FallbackType = "webhook"

// DefaultWindow is how long an event id is remembered where `dedupe` does not
// say. It is longer than the known senders go on repeating themselves: Stripe
// does for three days.
const DefaultWindow = 7 * 24 * time.Hour

// Kind is one `type` of source.
type Kind struct {
	Name, Doc string
	compile   func(b *builder)
	describe  func() yamlnode.Spec
}

// Kinds lists every type of source that there is.
func Kinds() []Kind {
	return []Kind{
		{"sitejet", "the account webhooks of Sitejet: a secret URL, six event types", compileSitejet, yamlnode.Describe[sitejetKeys]},
		{"webhook", "any sender of webhooks: a secret URL, or a signature to verify", compileWebhook, describeWebhook},
		{scheduleType, "the clock: an event whenever cron says", compileSchedule, yamlnode.Describe[scheduleKeys]},
		{manualType, "people: events are sent by hand, and there is no URL", compileManual, yamlnode.Describe[manualKeys]},
	}
}

// Source is one source of config.yaml, compiled. It never changes and is safe
// for concurrent use.
type Source struct {
	Name, Type string

	sender  string // the scheme of `verify`; "" where it is nobody's in particular
	methods []string
	token   event.Secret
	verify  verifier // nil: the token is the only proof
	signing *Signing // nil: nothing is signed
	hidden  []string // lower-case headers that carry the proof
	types   []string
	// unposted says that nobody posts to it: hookgate itself makes its events, or
	// people do by hand.
	unposted  bool
	fixedType string    // of all its events; "": eventType finds it
	schedule  *Schedule // nil: the clock makes none

	eventType, eventID expression
	repeats            Repeats
	rate               yamlnode.Rate
	jsonField          string
	challenge          challenge
}

// expression finds a text in an event. The zero expression finds nothing.
type expression struct {
	*lang.Expression
	ours bool // a default of ours: where it does not fit an event, nothing is found
}

// verifier proves that a request comes from its sender. Its errors say what
// was wrong, without any secret.
type verifier interface {
	verify(r *Request) error
}

// Request is what a source judges.
type Request struct {
	Method string
	// URL is the whole public URL with its query, as the sender wrote it:
	// HubSpot signs it.
	URL                          string
	Token                        string // from the path; "" is none
	ContentType, ContentEncoding string
	Header                       func(name string) string // by any spelling; "" where absent
	Body                         []byte                   // raw, as it was sent and signed
	Now                          time.Time
}

// SignsURL reports whether the sender signs the address that it calls, which
// must then be known here exactly.
func (s *Source) SignsURL() bool {
	v, signed := s.verify.(*hmacVerifier)
	return signed && slices.ContainsFunc(v.pieces, func(p piece) bool { return p.placeholder == "url" })
}

// Compile reads one source of config.yaml. The Source is nil where the list
// holds an error.
func Compile(name yamlnode.Text, n yamlnode.Node, c *lang.Compiler) (*Source, diag.List) {
	b := &builder{source: &Source{Name: name.Value}, node: n, compiler: c}
	if n.Kind() != yamlnode.Map {
		return nil, diag.List{n.Diag("wrong-type", "", "the source %q must be a mapping", name.Value)}
	}
	names := make([]string, 0, len(Kinds()))
	given := n.Get("type").Text()
	for _, kind := range Kinds() {
		if kind.Name == given.Value {
			b.source.Type = kind.Name
			kind.compile(b)
			if b.list.Err() != nil {
				return nil, b.list
			}
			return b.source, b.list
		}
		names = append(names, kind.Name)
	}
	if n.Get("type").Kind() != yamlnode.Scalar {
		return nil, diag.List{name.Diag("missing-key", `type: sitejet, or type: webhook for any other sender`, `a source needs "type"`)}
	}
	hint := diag.DidYouMean(given.Value, names)
	if hint == "" {
		hint = "write webhook: it takes any sender"
	}
	return nil, diag.List{given.Diag("unknown-type", hint, "there is no source type %q", given.Value)}
}

// Sender is who sends, as far as it is known: the source's type, or the scheme
// of a known sender.
func (s *Source) Sender() string {
	if s.sender != "" {
		return s.sender
	}
	return s.Type
}

// Methods are the HTTP methods that the source accepts.
func (s *Source) Methods() []string { return slices.Clone(s.methods) }

// Allows reports whether the source accepts an HTTP method.
func (s *Source) Allows(method string) bool { return slices.Contains(s.methods, method) }

// TokenInPath reports whether the source's URL ends in a secret token.
func (s *Source) TokenInPath() bool { return !s.token.IsZero() }

// Token is the secret end of the URL, for those who may see it; zero where
// TokenInPath is false.
func (s *Source) Token() event.Secret { return s.token }

// HasURL reports whether senders post to sources of a type. To one that is not
// known they may.
func HasURL(typ string) bool { return typ != scheduleType && typ != manualType }

// Posted reports whether senders post to the source: it has a URL.
func (s *Source) Posted() bool { return !s.unposted }

// Schedule is when the clock makes events of the source; nil: never.
func (s *Source) Schedule() *Schedule { return s.schedule }

// EventTypes are the types that the sender is known to send; nil is any.
func (s *Source) EventTypes() []string { return slices.Clone(s.types) }

// RateLimit is how many events the source may bring; a zero Count is no limit.
func (s *Source) RateLimit() yamlnode.Rate { return s.rate }

// JSONField is the form field in which the sender puts JSON text that is the
// whole of data when it posts a form, for body.Input; "" is none.
func (s *Source) JSONField() string { return s.jsonField }

// HasToken reports whether token, "" for none, is what the source's URL ends in.
func (s *Source) HasToken(token string) bool {
	if s.unposted {
		return false
	}
	return !s.TokenInPath() && token == "" || same(token, s.token.Reveal())
}

// SignsBody reports whether what proves the sender covers the body, so that
// Authenticate needs it.
func (s *Source) SignsBody() bool {
	switch s.verify.(type) {
	case nil, basicVerifier, bearerVerifier:
		return false
	default:
		return true
	}
}

// AuthChallenge is the WWW-Authenticate field (RFC 9110, section 11.6.1) of an
// answer to a request that lacks the right credentials; "" where the sender
// does not authenticate by HTTP.
func (s *Source) AuthChallenge() string {
	switch v := s.verify.(type) {
	case basicVerifier:
		return `Basic realm="hookgate", charset="UTF-8"`
	case bearerVerifier:
		if strings.EqualFold(v.header, authorization) {
			return `Bearer realm="hookgate"`
		}
	}
	return ""
}

// Authenticate proves that r comes from the sender. Its errors are
// ErrBadToken and ErrBadSignature, with the reason.
func (s *Source) Authenticate(r *Request) error {
	if !s.HasToken(r.Token) {
		return ErrBadToken
	}
	if s.verify == nil {
		return nil
	}
	if err := s.verify.verify(r); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	return nil
}

// same compares in a time that tells nothing, not even the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Identify finds the type of an event, FallbackType where the sender names
// none, and the id that the sender gave it, "" where it gave none. An error
// says that an expression of config.yaml does not fit the event; the values
// found without it are returned too.
func (s *Source) Identify(sc *lang.Scope) (typ, senderID string, err error) {
	if s.fixedType != "" {
		return s.fixedType, "", nil
	}
	typ, typeErr := s.eventType.text(sc)
	if typeErr != nil {
		typeErr = fmt.Errorf("event_type: %w", typeErr)
	}
	senderID, idErr := s.eventID.text(sc)
	if idErr != nil {
		idErr = fmt.Errorf("event_id: %w", idErr)
	}
	if typ == "" {
		typ = FallbackType
	}
	return shortType(typ), shortID(senderID), errors.Join(typeErr, idErr)
}

func (e expression) text(sc *lang.Scope) (string, error) {
	if e.Expression == nil {
		return "", nil
	}
	text, err := e.Text(sc)
	if err != nil && e.ours {
		return "", nil // a default that does not fit finds nothing
	}
	return text, err
}

// IDs are where a sender keeps the id of an event, and what it is the id of.
type IDs struct {
	Expression string // "" is none
	// Subject says that it is the id of what the event is about (a submission, a
	// deploy, a row of one site's database): several events have the same.
	Subject bool
}

// Repeats is how repeats are recognised: by the id that the sender gave the
// event, by its content, or where both are set by both.
type Repeats struct {
	Window      time.Duration // for how long; 0: not at all
	ID, Content bool
}

// Repeats is how repeats of the source's events are recognised.
func (s *Source) Repeats() Repeats { return s.repeats }

// defaultMethods are those that senders use for webhooks.
func defaultMethods() []string { return []string{http.MethodPost, http.MethodPut} }
