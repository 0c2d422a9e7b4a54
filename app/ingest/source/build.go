package source

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// builder compiles one source and collects what is wrong with it.
type builder struct {
	source   *Source
	node     yamlnode.Node
	compiler *lang.Compiler
	list     diag.List
}

func (b *builder) fail(d ...diag.Diagnostic) { b.list = append(b.list, d...) }

// common are the keys that every kind of source has.
type common struct {
	Type    yamlnode.Text   `yaml:"type,required" doc:"What kind of sender it is."`
	Token   yamlnode.Text   `yaml:"token" doc:"The secret end of the URL: at least 16 letters, digits and - _ . ~. Make one with openssl rand -hex 24." example:"${SITEJET_TOKEN}" type:"secret"`
	Methods []yamlnode.Text `yaml:"methods,single" doc:"The HTTP methods that are accepted." values:"POST,PUT,PATCH,GET" default:"[POST, PUT]"`
	Dedupe  yamlnode.Text   `yaml:"dedupe" doc:"How repeats are recognised: off, a window for the event id such as 7d, or body 10m for the body's hash." default:"7d" example:"body 10m"`
	Rate    yamlnode.Rate   `yaml:"rate_limit" doc:"How many events it may bring in a time." example:"100/s"`
}

const makeOne = "make one with: openssl rand -hex 24"

// shared compiles the common keys but dedupe, which depends on the others.
func (b *builder) shared(keys common) {
	b.source.rate = keys.Rate
	if !b.node.Get("token").IsZero() {
		b.token(keys.Token)
	}
	b.methods(keys.Methods)
}

// token takes the secret end of the URL. It has to be long, for it is all
// that keeps strangers out, and must stand in a path as it is.
func (b *builder) token(t yamlnode.Text) {
	const shortest = 16
	if b.node.Get("token").Kind() != yamlnode.Scalar {
		return // Decode has said so
	}
	odd := func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", r)
	}
	switch {
	case len(t.Value) < shortest:
		b.fail(t.Diag("weak-secret", makeOne, `"token" is too short: it needs at least %d characters`, shortest))
	case strings.ContainsFunc(t.Value, odd) || strings.Trim(t.Value, ".") == "":
		b.fail(t.Diag("bad-value", makeOne, `"token" stands in a URL: only letters, digits and - _ . ~ are allowed`))
	default:
		b.source.token = event.NewSecret(t.Value)
	}
}

func (b *builder) methods(list []yamlnode.Text) {
	known := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodGet}
	if given := b.node.Get("methods"); given.Kind() == yamlnode.List && len(given.Items()) == 0 {
		b.fail(given.Diag("empty-value", "leave it out for POST and PUT", `"methods" is empty: nothing would be accepted`))
	}
	b.source.methods = nil
	for _, m := range list {
		switch {
		case !slices.Contains(known, m.Value):
			hint := diag.DidYouMean(m.Value, known)
			if hint == "" {
				hint = "it can be " + strings.Join(known, ", ")
			}
			b.fail(m.Diag("bad-value", hint, "a source cannot accept the method %q", m.Value))
		case !slices.Contains(b.source.methods, m.Value):
			b.source.methods = append(b.source.methods, m.Value)
		}
	}
	if b.source.methods == nil {
		b.source.methods = defaultMethods()
	}
}

// dedupe reads how repeats are recognised: off, a window such as 24h for the
// event id, or body 10m for the body's hash.
func (b *builder) dedupe(t yamlnode.Text) {
	hasID := b.source.eventID.Expression != nil
	const forms = "write off, body 10m, or 24h where there is an event_id"
	if b.node.Get("dedupe").IsZero() {
		if hasID {
			b.source.repeats.Window = DefaultWindow
		}
		return
	}
	if b.node.Get("dedupe").Kind() != yamlnode.Scalar || t.Value == "off" || t.Value == "false" {
		return // YAML reads a bare off as text; some write false
	}
	length, byBody := strings.CutPrefix(t.Value, "body ")
	window, err := yamlnode.ParseDuration(length)
	switch {
	case err != nil && !errors.Is(err, yamlnode.ErrDuration):
		b.fail(t.Diag("bad-value", forms, `"dedupe": %s`, err))
	case err != nil || window <= 0:
		b.fail(t.Diag("bad-value", forms, `"dedupe" is not understood`))
	case !byBody && !hasID:
		b.fail(t.Diag("bad-value", "set event_id, or write body "+length, `"dedupe" needs an event id, and this source has none`))
	default:
		b.source.repeats.Window = window
		if byBody {
			b.source.repeats.ID, b.source.repeats.Content = false, true
		}
	}
}

// findID compiles where the id of an event stands: as config.yaml says, whose
// ids are the events', or else as we know of the sender.
func (b *builder) findID(given yamlnode.Text, ours IDs) {
	b.source.eventID = b.find(given, ours.Expression)
	b.source.repeats.ID = b.source.eventID.Expression != nil
	b.source.repeats.Content = b.source.eventID.ours && ours.Subject
}

// find compiles an expression of config.yaml, or where that is not given our
// default; "" is none.
func (b *builder) find(given yamlnode.Text, ours string) expression {
	text := given
	if given.IsZero() {
		if ours == "" {
			return expression{}
		}
		text = yamlnode.Plain(ours)
	}
	compiled, faults := b.compiler.Expression(text)
	b.fail(faults...)
	return expression{Expression: compiled, ours: given.IsZero()}
}
