package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

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
	var keys jwt.VerificationKeySet
	for _, secret := range v.secrets {
		keys.Keys = append(keys.Keys, []byte(secret.Reveal()))
	}
	var claims tokenClaims
	token, err := tokenParser.ParseWithClaims(given, &claims, func(*jwt.Token) (any, error) { return keys, nil })
	if token != nil && token.Header["crit"] != nil { // it asks for what is not understood here
		return errNoToken
	}
	body := sha256.Sum256(r.Body)
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid) && token.Method == jwt.SigningMethodHS256:
		return errNoMatch
	case err != nil:
		return errNoToken
	case claims.Issuer != v.issuer:
		return errIssuer
	case !same(strings.ToLower(claims.Digest), hex.EncodeToString(body[:])):
		return errDigest
	}
	return nil
}

// tokenClaims are what such a token says.
type tokenClaims struct {
	jwt.RegisteredClaims
	Digest string `json:"sha256"`
}

// tokenParser reads tokens of one algorithm: it is not the sender's to choose,
// for "none" would let anybody in.
var tokenParser = jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithoutClaimsValidation())
