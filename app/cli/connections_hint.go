package cli

import (
	"net/http"
	"strings"

	"hookgate/app/admin"
)

// testHints say where to look, by what the error of a test holds.
var testHints = []struct{ part, hint string }{
	{"the token was refused", "look at the login under oauth, auth or the like in the connection's settings: where the token comes from, client and secret"},
	{"no such host", "look at the address in the connection's settings; the name is not known to the DNS of this machine"},
	{"host could not be looked up", "the DNS of this machine does not answer"},
	{"connection refused", "nothing listens there: look at host and port in the connection's settings"},
	{"unknown authority", "for an authority of your own, name its certificates under ca in the connection's settings"},
	{"another host", "look at the host in the connection's settings: the certificate is not made for it"},
	{"TLS: the certificate has expired", "the receiver has to renew it; look at this machine's clock, too"},
	{"timeout", "nothing answered in time: look at the address, and at firewalls in between"},
	{"host unreachable", "look at the address, and at the network of this machine"},
}

// testHint is what to look at after a test that failed; "" where its error says
// that itself.
func testHint(t *admin.Tested) string {
	if strings.Contains(t.Error, "outbound.allow_private") {
		return ""
	}
	for _, h := range testHints {
		if strings.Contains(t.Error, h.part) && t.Status == 0 {
			return h.hint
		}
	}
	switch t.Status {
	case http.StatusUnauthorized:
		return "the receiver does not know the login: look at key, token or password in the connection's settings"
	case http.StatusForbidden:
		return "the receiver knows the login or not, and does not allow this: look at the key's rights, and at key, token or password"
	case http.StatusNotFound, http.StatusGone:
		return "look at the address, and at the names and IDs in the connection's settings"
	}
	return ""
}
