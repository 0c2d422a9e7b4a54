package source

import (
	"slices"
	"strings"
	"time"

	"hookgate/internal/yamlnode"
)

// hmacKeys are the generic scheme's: all of a signing.
type hmacKeys struct {
	schemeKeys
	secretKeys
	SecretEncoding  yamlnode.Text `yaml:"secret_encoding" doc:"How the secret is written." values:"text,base64" default:"text"`
	Header          yamlnode.Text `yaml:"header,required" doc:"The header that carries the signature." example:"X-Signature"`
	Algorithm       yamlnode.Text `yaml:"algorithm" doc:"The hash." values:"sha256,sha1,sha512" default:"sha256"`
	Encoding        yamlnode.Text `yaml:"encoding" doc:"How the signature is written." values:"hex,base64" default:"hex"`
	Prefix          yamlnode.Text `yaml:"prefix" doc:"What stands in front of the signature." example:"sha256="`
	Separator       yamlnode.Text `yaml:"separator" doc:"What stands between the items of a header that holds several." example:","`
	SignatureKey    yamlnode.Text `yaml:"signature_key" doc:"The key of the signature, where the items are pairs such as t=…,v1=…." example:"v1"`
	TimestampKey    yamlnode.Text `yaml:"timestamp_key" doc:"The key of the timestamp, where the items are pairs." example:"t"`
	Signed          yamlnode.Text `yaml:"signed" doc:"What is signed, with {id} {timestamp} {method} {url} {body}." default:"{body}" example:"{timestamp}.{body}"`
	IDHeader        yamlnode.Text `yaml:"id_header" doc:"The header that carries the {id} that is signed." example:"X-Id"`
	TimestampHeader yamlnode.Text `yaml:"timestamp_header" doc:"The header that carries the {timestamp} that is signed." example:"X-Timestamp"`
	TimestampUnit   yamlnode.Text `yaml:"timestamp_unit" doc:"The unit of the timestamp." values:"s,ms" default:"s"`
	Tolerance       time.Duration `yaml:"tolerance" doc:"How far the timestamp may be off." default:"5m" above:"0" max:"24h" hint:"5m is what senders recommend"`
}

// hmac compiles the generic scheme.
func (b *builder) hmac(n yamlnode.Node) {
	var keys hmacKeys
	b.fail(n.Decode("the scheme hmac", &keys)...)
	b.oneOf(keys.Algorithm, "sha256", "sha1", "sha512")
	b.oneOf(keys.Encoding, "hex", "base64")
	b.oneOf(keys.TimestampUnit, "s", "ms")
	b.oneOf(keys.SecretEncoding, "text", "base64")
	s := signing{
		Header: keys.Header.Value, Algorithm: keys.Algorithm.Value, Encoding: keys.Encoding.Value,
		Prefix: keys.Prefix.Value, Separator: keys.Separator.Value,
		SignatureKey: keys.SignatureKey.Value, TimestampKey: keys.TimestampKey.Value,
		Signed: keys.Signed.Value, IDHeader: keys.IDHeader.Value,
		TimestampHeader: keys.TimestampHeader.Value, TimestampUnit: keys.TimestampUnit.Value,
		Tolerance: fiveMinutes,
	}
	for _, header := range []yamlnode.Text{keys.Header, keys.IDHeader, keys.TimestampHeader} {
		if !header.IsZero() {
			b.headerName(header)
		}
	}
	if s.Signed == "" {
		s.Signed = "{body}"
	}
	if given := n.Get("tolerance"); !given.IsZero() {
		s.Tolerance = keys.Tolerance
	}
	b.pairs(keys, s)
	b.placeholders(n, keys, s)
	secrets := b.secrets(n, keys.secretKeys)
	if _, ok := algorithms[s.Algorithm]; ok {
		b.signed(s, secrets, keys.SecretEncoding.Value == "base64")
	}
}

func (b *builder) oneOf(t yamlnode.Text, allowed ...string) {
	if t.IsZero() || slices.Contains(allowed, t.Value) {
		return
	}
	b.fail(t.Diag("bad-value", "it can be "+strings.Join(allowed, ", "), "%q is not known here", t.Value))
}

// headerName refuses what cannot be a header's name (RFC 9110, section 5.1).
func (b *builder) headerName(t yamlnode.Text) string {
	odd := func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}
	if t.Value == "" || strings.ContainsFunc(t.Value, odd) {
		b.fail(t.Diag("bad-value", "write its name only, such as X-Signature", "this is no name of a header"))
	}
	return t.Value
}

// pairs checks the keys of a header such as t=…,v1=….
func (b *builder) pairs(keys hmacKeys, s signing) {
	switch {
	case s.TimestampKey != "" && s.SignatureKey == "":
		b.fail(keys.TimestampKey.Diag("bad-value", "set signature_key too", `"timestamp_key" is for headers that hold pairs`))
	case s.SignatureKey != "" && s.Separator == "" && s.TimestampKey != "":
		b.fail(keys.SignatureKey.Diag("bad-value", `set separator: ","`, `"signature_key" needs "separator", which stands between the pairs`))
	case s.TimestampKey != "" && s.TimestampHeader != "":
		b.fail(keys.TimestampKey.Diag("bad-value", "leave one of them out", `"timestamp_key" and "timestamp_header" exclude each other`))
	}
}

// placeholders checks that the whole of what proves the request is signed.
func (b *builder) placeholders(n yamlnode.Node, keys hmacKeys, s signing) {
	place := keys.Signed
	if place.IsZero() {
		place = keys.Header
	}
	known := []string{"id", "timestamp", "method", "url", "body"}
	used := map[string]bool{}
	for _, p := range split(s.Signed) {
		if p.placeholder != "" && !slices.Contains(known, p.placeholder) || strings.ContainsAny(p.literal, "{}") {
			b.fail(place.Diag("bad-value", "it can hold {"+strings.Join(known, "}, {")+"}", `"signed" holds a placeholder that is not known`))
			return
		}
		used[p.placeholder] = true
	}
	fault := func(hint, message string) {
		b.fail(place.Diag("bad-value", hint, "%s", message))
	}
	timed := s.TimestampHeader != "" || s.TimestampKey != ""
	switch {
	case !used["body"]:
		fault("add {body}", "the body is not signed, so anyone could change it")
	case used["timestamp"] && !timed:
		fault("set timestamp_header", "{timestamp} is signed, but nothing says where it stands")
	case !used["timestamp"] && timed:
		fault("set signed: \"{timestamp}.{body}\", as the sender has it", "the timestamp is not signed, so anyone could change it")
	case used["id"] && s.IDHeader == "":
		fault("set id_header", "{id} is signed, but nothing says where it stands")
	case !timed && (!n.Get("tolerance").IsZero() || !keys.TimestampUnit.IsZero()):
		fault("set timestamp_header, or leave it out", `"tolerance" and "timestamp_unit" need a timestamp`)
	}
}
