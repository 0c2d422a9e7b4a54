package source

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxType = 100 // characters of an event type that are kept
	maxID   = 200 // bytes of a sender's id; a longer one is kept as its hash
)

// shortType makes what a stranger called a type fit to be shown: bounded, and
// without line breaks or other control characters.
func shortType(typ string) string {
	typ = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return '?'
		}
		return r
	}, typ)
	if utf8.RuneCountInString(typ) > maxType {
		return string([]rune(typ)[:maxType])
	}
	return typ
}

// shortID bounds an id and keeps different ones different.
func shortID(id string) string {
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// credentialParts tell by its name that a header holds a credential.
var credentialParts = []string{"auth", "cookie", "token", "secret", "signature", "hmac", "password", "api-key", "apikey", "credential"}

// Secret reports whether a header holds a credential, so that it must be
// neither stored nor shown to expressions. header is spelt in any case.
func (s *Source) Secret(header string) bool {
	header = strings.ToLower(header)
	if slices.Contains(s.hidden, header) {
		return true
	}
	for _, part := range credentialParts {
		if strings.Contains(header, part) {
			return true
		}
	}
	return false
}
