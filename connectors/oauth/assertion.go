package oauth

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// usualLifetime is how long an assertion is good for. Salesforce takes at most
// five minutes, Google an hour.
const usualLifetime = 3 * time.Minute

// Assertion is the JWT that is shown for a token, signed by RS256.
type Assertion struct {
	Issuer   string // the client
	Subject  string // the user to act for; "": none
	Audience string // "": the token URL
	KeyID    string // "": none
	PEM      string // the private key as it was given: a secret
	Key      *rsa.PrivateKey
	Lifetime time.Duration  // 0: usualLifetime
	Claims   map[string]any // more of them
}

// ErrKey reports a private key that cannot be used. No error that wraps it
// holds the key.
var ErrKey = errors.New("not an RSA private key in PEM")

// ParseKey reads an RSA private key in PEM, PKCS #1 or PKCS #8. Line ends that
// were written as \n, as in environment variables, are understood.
func ParseKey(text string) (*rsa.PrivateKey, error) {
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.TrimSpace(text)))
	if err != nil {
		if strings.Contains(text, "ENCRYPTED") {
			return nil, fmt.Errorf("%w: it is protected by a passphrase", ErrKey)
		}
		return nil, ErrKey
	}
	return key, nil
}

// sign makes the assertion for one request.
func (a *Assertion) sign(now time.Time, config Config) (string, error) {
	lifetime := a.Lifetime
	if lifetime <= 0 {
		lifetime = usualLifetime
	}
	claims := jwt.MapClaims{
		"iss": a.Issuer, "aud": a.Audience,
		"iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	}
	if a.Audience == "" {
		claims["aud"] = config.TokenURL
	}
	if a.Subject != "" {
		claims["sub"] = a.Subject
	}
	if len(config.Scopes) > 0 { // Google reads them here; others leave claims be that they do not know
		claims["scope"] = strings.Join(config.Scopes, " ")
	}
	maps.Copy(claims, a.Claims)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	if a.KeyID != "" {
		token.Header["kid"] = a.KeyID
	}
	signed, err := token.SignedString(a.Key)
	if err != nil {
		return "", fmt.Errorf("sign the assertion: %w", err)
	}
	return signed, nil
}
