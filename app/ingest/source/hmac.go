package source

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is not broken, and some senders have no other
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	s := Signing{
		Kind:   kindHMAC,
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
func (b *builder) pairs(keys hmacKeys, s Signing) {
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
func (b *builder) placeholders(n yamlnode.Node, keys hmacKeys, s Signing) {
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

// algorithms are the hashes by their names in config.yaml.
var algorithms = map[string]func() hash.Hash{"": sha256.New, "sha256": sha256.New, "sha1": sha1.New, "sha512": sha512.New}

var (
	errNoMatch = errors.New("the signature does not match: another secret, or a changed body")
	errNoTime  = errors.New("the signed timestamp is missing")
	errBadTime = errors.New("the timestamp is neither a number nor a time such as 2026-03-10T10:42:07Z")
)

// hmacVerifier verifies by signing. It is safe for concurrent use.
type hmacVerifier struct {
	Signing
	pieces []piece
	keys   []*sync.Pool // of hash.Hash, one pool a key
}

// piece is one part of what is signed: a placeholder's name, or literal text.
type piece struct{ placeholder, literal string }

// newHMAC makes a verifier; every key must hold at least a byte.
func newHMAC(s Signing, keys [][]byte) *hmacVerifier {
	v := &hmacVerifier{Signing: s, pieces: split(s.Signed)}
	for _, key := range keys {
		algorithm := algorithms[s.Algorithm]
		v.keys = append(v.keys, &sync.Pool{New: func() any { return hmac.New(algorithm, key) }})
	}
	return v
}

// split takes a template of what is signed apart.
func split(signed string) []piece {
	var pieces []piece
	for signed != "" {
		literal, rest, found := strings.Cut(signed, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return append(pieces, piece{literal: signed})
		}
		if literal != "" {
			pieces = append(pieces, piece{literal: literal})
		}
		pieces = append(pieces, piece{placeholder: name})
		signed = after
	}
	return pieces
}

// maxSignatures bounds how many signatures of one request are tried.
const maxSignatures = 16

// verify implements verifier.
func (v *hmacVerifier) verify(r *Request) error {
	header := r.Header(v.Header)
	if header == "" && v.Alias != "" {
		renamed := *v
		renamed.Header, renamed.IDHeader, renamed.TimestampHeader = v.aliased(v.Header), v.aliased(v.IDHeader), v.aliased(v.TimestampHeader)
		if renamed.Alias = ""; r.Header(renamed.Header) != "" || r.Header(renamed.IDHeader) != "" {
			return renamed.verify(r)
		}
	}
	if header == "" {
		return fmt.Errorf("header %s is missing", v.Header)
	}
	signatures, timestamp := v.items(header)
	if v.TimestampHeader != "" {
		if timestamp = r.Header(v.TimestampHeader); timestamp == "" {
			return fmt.Errorf("header %s is missing", v.TimestampHeader)
		}
	}
	id := ""
	if v.IDHeader != "" {
		if id = r.Header(v.IDHeader); id == "" {
			return fmt.Errorf("header %s is missing", v.IDHeader)
		}
	}
	if len(signatures) == 0 {
		return fmt.Errorf("header %s holds no signature of the expected form", v.Header)
	}
	if v.timed() {
		if err := v.fresh(timestamp, r.Now); err != nil {
			return err
		}
	}
	if v.matches(r, id, timestamp, signatures) {
		return nil
	}
	if v.DecodedURL {
		decoded := *r
		decoded.URL = urlEscapes.Replace(r.URL)
		if v.matches(&decoded, id, timestamp, signatures) {
			return nil
		}
	}
	return errNoMatch
}

// aliased is the sender's other name of a header.
func (v *hmacVerifier) aliased(header string) string {
	_, name, _ := strings.Cut(header, "-")
	return v.Alias + "-" + name
}

// matches reports whether any of the keys made any of the signatures.
func (v *hmacVerifier) matches(r *Request, id, timestamp string, signatures [][]byte) bool {
	for _, key := range v.keys {
		if v.signedBy(key, r, id, timestamp, signatures) {
			return true
		}
	}
	return false
}

// timed reports whether requests carry a timestamp that must be fresh.
func (v *hmacVerifier) timed() bool { return v.TimestampHeader != "" || v.TimestampKey != "" }

// items takes the signatures, decoded, and the timestamp out of the header.
func (v *hmacVerifier) items(header string) (signatures [][]byte, timestamp string) {
	for header != "" && len(signatures) < maxSignatures {
		item, rest := header, ""
		if v.Separator != "" {
			item, rest, _ = strings.Cut(header, v.Separator)
		}
		header = rest
		item = strings.TrimSpace(item)
		if v.SignatureKey != "" {
			key, value, _ := strings.Cut(item, "=")
			if key == v.TimestampKey && key != "" && timestamp == "" {
				timestamp = value
			}
			if key != v.SignatureKey {
				continue
			}
			item = value
		}
		if text, ok := strings.CutPrefix(item, v.Prefix); ok {
			if signature := v.decode(text); len(signature) > 0 {
				signatures = append(signatures, signature)
			}
		}
	}
	return signatures, timestamp
}

// decode reads a signature; nil where it is none. Base64 may lack its padding
// and be of either alphabet.
func (v *hmacVerifier) decode(text string) []byte {
	var signature []byte
	var err error
	if v.Encoding == "base64" {
		signature, err = decodeBase64(text)
	} else {
		signature, err = hex.DecodeString(text)
	}
	if err != nil {
		return nil
	}
	return signature
}

func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

// fresh refuses a timestamp that is too far from now: a recorded request
// cannot be sent again later. The tolerance itself is still allowed.
func (v *hmacVerifier) fresh(timestamp string, now time.Time) error {
	if timestamp == "" {
		return errNoTime
	}
	sent, err := v.sentAt(timestamp)
	if err != nil {
		return err
	}
	switch off := now.Sub(sent); {
	case off > v.Tolerance:
		return fmt.Errorf("the timestamp is more than %s old", v.Tolerance)
	case off < -v.Tolerance:
		return fmt.Errorf("the timestamp is more than %s ahead of this machine's clock", v.Tolerance)
	}
	return nil
}

// sentAt reads a timestamp: a number of the unit, or a time in the format of
// ISO 8601, as Zendesk and others have it.
func (v *hmacVerifier) sentAt(timestamp string) (time.Time, error) {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	switch {
	case err != nil:
		for _, format := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
			if at, err := time.Parse(format, timestamp); err == nil {
				return at, nil
			}
		}
		return time.Time{}, errBadTime
	case n < 0 || n > math.MaxInt64/2000:
		return time.Time{}, errBadTime
	case v.TimestampUnit == "ms":
		return time.UnixMilli(n), nil
	}
	return time.Unix(n, 0), nil
}

// signedBy reports whether any of the signatures was made with the key.
func (v *hmacVerifier) signedBy(key *sync.Pool, r *Request, id, timestamp string, signatures [][]byte) bool {
	mac, ok := key.Get().(hash.Hash)
	if !ok {
		return false
	}
	defer key.Put(mac)
	mac.Reset()
	for _, p := range v.pieces {
		mac.Write(p.bytes(r, id, timestamp))
	}
	var buffer [sha512.Size]byte
	sum := mac.Sum(buffer[:0])
	matched := false
	for _, signature := range signatures {
		matched = hmac.Equal(signature, sum) || matched
	}
	return matched
}

func (p piece) bytes(r *Request, id, timestamp string) []byte {
	switch p.placeholder {
	case "body":
		return r.Body
	case "id":
		return []byte(id)
	case "timestamp":
		return []byte(timestamp)
	case "method":
		return []byte(r.Method)
	case "url":
		return []byte(r.URL)
	}
	return []byte(p.literal)
}

// urlEscapes are the escapes that HubSpot's page "Validating requests" says are
// decoded before the URL is signed. Its own client libraries decode none.
var urlEscapes = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
)
