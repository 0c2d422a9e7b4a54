package connectors

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"

	"hookgate/internal/event"
)

const (
	redacted = "[redacted]"
	// minSecret is the length below which a setting is not looked for in
	// answers: it would garble them and could be found by trying anyway.
	minSecret = 5
)

// Redactor takes a connection's secrets out of what receivers answer. It is
// safe for concurrent use.
type Redactor struct {
	replacer *strings.Replacer
	shortest int // the length of the shortest form of a secret, in bytes
	longest  int // and of the longest; 0: there are no secrets
}

// NewRedactor hides the given texts, also where they appear in another
// encoding: in URLs, JSON, HTML or base64.
func NewRedactor(secrets ...string) *Redactor {
	var forms []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), html.EscapeString(s),
			strings.ReplaceAll(s, "/", `\/`), base64.StdEncoding.EncodeToString([]byte(s)))
		if quoted, err := json.Marshal(s); err == nil {
			forms = append(forms, strings.Trim(string(quoted), `"`))
		}
	}
	// The replacer prefers the earlier of two that start at the same place.
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	forms = slices.Compact(forms)
	r := &Redactor{}
	if len(forms) > 0 {
		r.longest, r.shortest = len(forms[0]), len(forms[len(forms)-1])
	}
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// Text is s without secrets.
func (r *Redactor) Text(s string) string {
	if r.longest == 0 || len(s) < r.shortest { // what is shorter holds none
		return s
	}
	return r.replacer.Replace(s)
}

// Texts are the values without secrets, each of a length that people can read;
// nil for none.
func (r *Redactor) Texts(values map[string]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	clean := make(map[string]string, len(values))
	for name, value := range values {
		clean[name] = event.CutOutput(r.Text(value))
	}
	return clean
}

// Outputs are the values without secrets, as Texts has them; nil for none.
func (r *Redactor) Outputs(values map[string]event.Output) map[string]event.Output {
	if len(values) == 0 {
		return nil
	}
	texts := make(map[string]string, len(values))
	for name, value := range values {
		texts[name] = value.String()
	}
	clean := make(map[string]event.Output, len(values))
	for name, text := range r.Texts(texts) {
		if clean[name] = values[name]; text != texts[name] {
			clean[name] = event.TextOutput(text)
		}
	}
	return clean
}

// Clean is body without secrets. Where body was cut, its end is dropped, as
// far as a secret of which the rest is missing could reach.
func (r *Redactor) Clean(body []byte, cut bool) []byte {
	if r.longest == 0 || len(body) == 0 {
		return body
	}
	out := body
	if len(body) >= r.shortest { // what is shorter holds none
		text := string(body)
		if replaced := r.replacer.Replace(text); replaced != text {
			out = []byte(replaced)
		}
	}
	if cut {
		out = out[:max(0, len(out)-r.longest)]
	}
	return out
}

// URLSecrets are the parts of a URL that may be a credential: all of it, its
// path and query together, each query value, and the path segments that look
// like tokens. The host alone is none.
func URLSecrets(u *url.URL) []string {
	list := []string{u.String()}
	if uri := u.RequestURI(); len(uri) > 1 {
		list = append(list, uri)
	}
	return append(list, credentials(u)...)
}

// credentials are the values of a URL's query, and what looks like a token in
// its path.
func credentials(u *url.URL) []string {
	var list []string
	for _, values := range u.Query() {
		list = append(list, values...)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if looksLikeToken(segment) {
			list = append(list, segment)
		}
	}
	return list
}

// looksLikeToken tells T012ABCDEF from "subscriptions".
func looksLikeToken(segment string) bool {
	const withDigit, withoutDigit = 8, 16
	if len(segment) >= withoutDigit {
		return true
	}
	return len(segment) >= withDigit && strings.ContainsAny(segment, "0123456789")
}

// plainHeaders are request headers whose values are no secrets, although all
// headers of a connection are treated as such in the configuration.
func plainHeader(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-language", "content-type", "user-agent", "cache-control", "prefer":
		return true
	}
	return false
}

// HeaderSecrets are the parts of a header's value that may be a credential:
// all of it, and what follows a scheme such as Bearer.
func HeaderSecrets(name, value string) []string {
	if plainHeader(name) {
		return nil
	}
	list := []string{value}
	if _, token, found := strings.Cut(value, " "); found {
		list = append(list, strings.TrimSpace(token))
		if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token)); err == nil {
			_, password, _ := strings.Cut(string(decoded), ":")
			list = append(list, string(decoded), password)
		}
	}
	return list
}
