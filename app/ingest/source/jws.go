package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hookgate/internal/event"
)

var (
	errNoToken = errors.New("the signature is no JSON Web Token that is signed by HS256")
	errIssuer  = errors.New("the signature is of another issuer")
	errDigest  = errors.New("the signature is of another body")
)

// tokenVerifier checks a JSON Web Token (RFC 7519), signed by HMAC-SHA256, that
// names its issuer and the SHA-256 of the body in hexadecimal.
type tokenVerifier struct {
	header, issuer string
	secrets        []event.Secret
}

// verify implements verifier.
func (v tokenVerifier) verify(r *Request) error {
	given := strings.TrimSpace(r.Header(v.header))
	if given == "" {
		return fmt.Errorf("header %s is missing", v.header)
	}
	head, rest, _ := strings.Cut(given, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	var algorithm struct {
		Name     string   `json:"alg"`
		Critical []string `json:"crit"`
	}
	sum, err := base64.RawURLEncoding.DecodeString(signature)
	// The algorithm is not the sender's to choose: "none" would let anybody in.
	if err != nil || tokenPart(head, &algorithm) != nil || algorithm.Name != "HS256" || len(algorithm.Critical) > 0 {
		return errNoToken
	}
	right := false
	for _, secret := range v.secrets {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write([]byte(head + "." + payload))
		right = hmac.Equal(mac.Sum(nil), sum) || right
	}
	if !right {
		return errNoMatch
	}
	var claims struct {
		Issuer string `json:"iss"`
		Digest string `json:"sha256"`
	}
	body := sha256.Sum256(r.Body)
	switch {
	case tokenPart(payload, &claims) != nil:
		return errNoToken
	case claims.Issuer != v.issuer:
		return errIssuer
	case !same(strings.ToLower(claims.Digest), hex.EncodeToString(body[:])):
		return errDigest
	}
	return nil
}

// tokenPart reads a part of a token.
func tokenPart(text string, into any) error {
	part, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return errNoToken
	}
	return json.Unmarshal(part, into)
}
