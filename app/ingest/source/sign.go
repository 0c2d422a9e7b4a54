package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The kinds of a Signing.
const (
	kindHMAC  = "hmac"
	kindToken = "jwt"
)

// Signing is how a sender signs: every scheme of HMAC is this struct. It holds
// nothing of a secret, so whoever stands in for the sender elsewhere may have it.
type Signing struct {
	Kind      string `json:"kind"`                // hmac, or jwt: a JSON Web Token with the body's hash
	Header    string `json:"header"`              // that carries the signature
	Algorithm string `json:"algorithm,omitempty"` // sha256 (also ""), sha1, sha512
	Encoding  string `json:"encoding,omitempty"`  // hex (also ""), base64
	Prefix    string `json:"prefix,omitempty"`    // in front of the signature: sha256=
	// Separator stands between the items of a header that has several: more
	// signatures while a key is changed, or pairs. "" is one item.
	Separator string `json:"separator,omitempty"`
	// SignatureKey and TimestampKey are set where the items are pairs, t=…,v1=….
	SignatureKey string `json:"signature_key,omitempty"`
	TimestampKey string `json:"timestamp_key,omitempty"`
	// Signed is what is signed, with {id} {timestamp} {method} {url} {body}.
	Signed          string        `json:"signed,omitempty"`
	IDHeader        string        `json:"id_header,omitempty"`
	TimestampHeader string        `json:"timestamp_header,omitempty"`
	TimestampUnit   string        `json:"timestamp_unit,omitempty"` // s (also ""), ms
	Tolerance       time.Duration `json:"-"`                        // how far the timestamp may be off, either way
	// Alias is in place of the part before the first hyphen of the three headers,
	// where the request has those headers: svix-signature for webhook-signature.
	// "" is none.
	Alias string `json:"-"`
	// DecodedURL accepts {url} also with the escapes of urlEscapes decoded.
	DecodedURL bool `json:"-"`
	// DecodeSecret says that the secret is base64 of the key, perhaps behind whsec_.
	DecodeSecret bool   `json:"decode_secret,omitempty"`
	Issuer       string `json:"issuer,omitempty"` // of a token
}

// Signing is how the sender signs; nil where it signs nothing.
func (s *Source) Signing() *Signing { return s.signing }

// Message is a request that is to be signed.
type Message struct {
	Method, URL string
	ID          string // for senders that sign one
	Body        []byte
	Time        time.Time
}

// Sign returns the headers by which a sender with the secret would prove the
// message. Its errors hold nothing of the secret.
func (s *Signing) Sign(secret string, m Message) (map[string]string, error) {
	if secret == "" {
		return nil, errors.New("the secret is empty")
	}
	switch s.Kind {
	case kindToken:
		return s.token(secret, m)
	case kindHMAC:
		return s.mac(secret, m)
	}
	return nil, fmt.Errorf("there is no way of signing that is called %q", s.Kind)
}

func (s *Signing) token(secret string, m Message) (map[string]string, error) {
	body := sha256.Sum256(m.Body)
	claims := tokenClaims{RegisteredClaims: jwt.RegisteredClaims{Issuer: s.Issuer}, Digest: hex.EncodeToString(body[:])}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		return nil, errors.New("the token cannot be signed")
	}
	return map[string]string{s.Header: token}, nil
}

func (s *Signing) mac(secret string, m Message) (map[string]string, error) {
	algorithm, known := algorithms[s.Algorithm]
	if !known {
		return nil, fmt.Errorf("there is no algorithm %q", s.Algorithm)
	}
	key := []byte(secret)
	if s.DecodeSecret {
		var err error
		if key, err = decodeBase64(strings.TrimPrefix(secret, "whsec_")); err != nil || len(key) == 0 {
			return nil, errors.New("the secret is not base64: it looks like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		}
	}
	timestamp := strconv.FormatInt(m.Time.Unix(), 10)
	if s.TimestampUnit == "ms" {
		timestamp = strconv.FormatInt(m.Time.UnixMilli(), 10)
	}
	sum := hmac.New(algorithm, key)
	r := &Request{Method: m.Method, URL: m.URL, Body: m.Body}
	for _, p := range split(s.Signed) {
		sum.Write(p.bytes(r, m.ID, timestamp))
	}
	text := s.Prefix + s.encode(sum.Sum(nil))
	if s.SignatureKey != "" {
		text = s.SignatureKey + "=" + text
	}
	if s.TimestampKey != "" {
		text = s.TimestampKey + "=" + timestamp + s.Separator + text
	}
	headers := map[string]string{s.Header: text}
	if s.IDHeader != "" {
		headers[s.IDHeader] = m.ID
	}
	if s.TimestampHeader != "" {
		headers[s.TimestampHeader] = timestamp
	}
	return headers, nil
}

func (s *Signing) encode(sum []byte) string {
	if s.Encoding == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}
