package oauth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"hookgate/internal/egress"
)

// Error is an answer that gave no token.
type Error struct {
	Status int
	Header http.Header
	// Code and Description are the receiver's words (RFC 6749, section 5.2);
	// "" where the answer has none. They come from outside: what is shown of
	// them must be freed of secrets and of control characters.
	Code, Description string
}

// Error tells the status and the receiver's words.
func (e *Error) Error() string {
	text := "the token was refused: " + strconv.Itoa(e.Status)
	if name := http.StatusText(e.Status); name != "" {
		text += " " + name
	}
	if words := strings.TrimSpace(e.Code + " " + e.Description); words != "" {
		text += ": " + words
	}
	if e.Status == http.StatusOK && e.Code == "" {
		text = "the answer to the request for a token holds none"
	}
	return text
}

// Permanent reports whether asking again is of no use: the client, its secret
// or what it asks for was refused.
func (e *Error) Permanent() bool {
	switch e.Code {
	case "temporarily_unavailable", "server_error", "slow_down": // RFC 6749, section 4.1.2.1; RFC 8628, section 3.5
		return false
	}
	switch e.Status {
	case http.StatusOK: // not the receiver's JSON: a proxy in between, or it broke off
		return e.Code != ""
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status < http.StatusInternalServerError
}

// explain turns the library's error into an *Error, or takes the URL off that
// of the transport.
func explain(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return &Error{
			Status: refused.Response.StatusCode, Header: refused.Response.Header,
			Code: refused.ErrorCode, Description: refused.ErrorDescription,
		}
	}
	if cause := egress.Cause(err); cause != err { //nolint:errorlint // identity: was there a URL to take off?
		return cause
	}
	// What is left came with a status that promised a token.
	return &Error{Status: http.StatusOK}
}
