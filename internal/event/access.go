package event

import (
	"errors"
	"time"
)

// ErrUsed says that a link that works once was followed before.
var ErrUsed = errors.New("the link was used before")

// Session is a browser that logged in. The store keeps a hash of its secret,
// so that who reads the database can't take it over.
type Session struct {
	Hash []byte // SHA-256 of the cookie's secret
	User string
	// Identity is who logged in at a provider, as package access writes it; empty
	// for a user of the configuration.
	Identity []byte
	// Fingerprint is of the password that the user had when the session began, as
	// package access makes it; empty for who logged in at a provider.
	Fingerprint []byte
	Created     time.Time
	Seen        time.Time // of the last request, to some minutes
	Expires     time.Time
}

// Scope says what a token may do.
type Scope string

// The scopes of tokens.
const (
	ScopeRead    Scope = "read"    // look at everything that is stored
	ScopeOperate Scope = "operate" // also retry, pause, send, reload, delete
)

// Token lets a program use the API. The store keeps a hash of its secret.
type Token struct {
	ID      AuditID // names it in lists and records; the time it was made is in it
	Name    string
	Scope   Scope
	Hash    []byte    // SHA-256 of the secret
	Expires time.Time // zero: never
	Used    time.Time // of its last request, to some minutes; zero: never
}
