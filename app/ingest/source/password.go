package source

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"hookgate/internal/event"
)

var errCredentials = errors.New("wrong credentials")

// basicVerifier checks a user and a password (RFC 7617).
type basicVerifier struct {
	user     string
	password event.Secret
}

// verify implements verifier.
func (v basicVerifier) verify(r *Request) error {
	scheme, encoded, _ := strings.Cut(r.Header("Authorization"), " ")
	if encoded == "" {
		return errors.New("header Authorization is missing")
	}
	given, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if !strings.EqualFold(scheme, "Basic") || err != nil {
		return errors.New("header Authorization is not of the scheme Basic")
	}
	if !same(string(given), v.user+":"+v.password.Reveal()) {
		return errCredentials
	}
	return nil
}

// bearerVerifier checks a secret that a header carries as it is: a bearer
// token (RFC 6750) in Authorization, or any header of the sender's own.
type bearerVerifier struct {
	header  string
	secrets []event.Secret
}

// verify implements verifier.
func (v bearerVerifier) verify(r *Request) error {
	given := r.Header(v.header)
	if given == "" {
		return fmt.Errorf("header %s is missing", v.header)
	}
	if strings.EqualFold(v.header, authorization) {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return errors.New("header Authorization is not of the scheme Bearer")
		}
		given = strings.TrimSpace(token)
	}
	right := false
	for _, secret := range v.secrets {
		right = same(given, secret.Reveal()) || right
	}
	if !right {
		return errCredentials
	}
	return nil
}

const authorization = "Authorization"
