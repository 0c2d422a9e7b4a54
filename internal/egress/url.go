package egress

import (
	"errors"
	"net/url"
	"strconv"
)

// ErrBadURL reports a URL that nothing can be sent to. Errors of CheckURL wrap
// it; none holds the URL, which may be a secret.
var ErrBadURL = errors.New("not a usable URL")

// urlError says what is wrong with a URL and what to do about it.
type urlError struct{ message, hint string }

func (e *urlError) Error() string { return e.message }
func (e *urlError) Unwrap() error { return ErrBadURL }

// Hint says what to do about the error; it may be "".
func (e *urlError) Hint() string { return e.hint }

// CheckURL parses a URL that requests are to be sent to: absolute, http or
// https, with a host, a possible port, and no user info (which would end up in
// logs on the way; credentials have settings of their own). It does not look
// the host up: whether its address is allowed is checked at every connection.
func CheckURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, &urlError{"it cannot be parsed as a URL", "write it like https://host/path"}
	case u.Scheme == "":
		return nil, &urlError{"it has no scheme", "write https:// before the host"}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &urlError{"its scheme is neither https nor http", "write it like https://host/path"}
	case u.User != nil:
		return nil, &urlError{"it holds a user or password", "use auth: { basic: { user: …, password: … } }"}
	case u.Hostname() == "":
		return nil, &urlError{"it has no host", "write it like https://host/path"}
	case !validPort(u.Port()):
		return nil, &urlError{"its port is not between 1 and 65535", ""}
	}
	u.Fragment, u.RawFragment = "", "" // is never sent
	return u, nil
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// Cause is err without the URL that an http.Client puts into its errors.
func Cause(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return Cause(wrapped.Err)
	}
	return err
}
