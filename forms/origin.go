package forms

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"
)

// Header is one header field of an answer.
type Header struct{ Name, Value string }

// AllowsOrigin reports whether a page of that origin may post to the form.
// origin is the request's Origin header; without one ("", a program and not a
// page of another site) a post is allowed. own is the gateway's own origin, or
// its public URL, from where the page that shows the problems of a post posts
// again. A form without `origins` takes posts from any page.
//
// The comparison is exact in scheme, host and port; "null", what sandboxed
// pages and files send, must be listed to be allowed.
func (f *Form) AllowsOrigin(origin, own string) bool {
	if origin == "" || len(f.origins) == 0 || f.lists(origin) {
		return true
	}
	self := originOf(own)
	return self != "" && originOf(origin) == self
}

// CORS are the header fields by which a script on a page of that origin may
// read the answer. Only a listed origin gets more than Vary.
func (f *Form) CORS(origin string) []Header {
	headers := []Header{{"Vary", "Origin"}}
	if origin != "" && f.lists(origin) {
		headers = append(headers, Header{"Access-Control-Allow-Origin", origin})
	}
	return headers
}

// Preflight are the header fields of the answer to a browser that asks, with
// OPTIONS, whether a script may post. asked are the headers that the script
// sets: a listed origin may set any, for tracing scripts add theirs to every
// request of a page, and none of them means anything here. refused is why the
// browser will not let it post, "" where it will.
func (f *Form) Preflight(origin, method, asked string) (headers []Header, refused string) {
	headers = f.CORS(origin)
	switch {
	case origin == "" || method == "":
		return headers, "" // no browser asks
	case len(f.origins) == 0:
		return headers, "the form has no origins: scripts of other websites may not post with headers of their own"
	case !f.lists(origin):
		return headers, Unlisted(origin)
	case method != "POST":
		refused = "the script does not want to POST"
	}
	allowed := []string{"Accept", "Content-Type", "X-Requested-With"}
	for name := range strings.SplitSeq(asked, ",") {
		name = strings.TrimSpace(name)
		known := slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) })
		if httpguts.ValidHeaderFieldName(name) && !known && len(allowed) < maxAsked {
			allowed = append(allowed, name)
		}
	}
	return append(headers,
		Header{"Access-Control-Allow-Methods", "POST, OPTIONS"},
		Header{"Access-Control-Allow-Headers", strings.Join(allowed, ", ")},
		Header{"Access-Control-Max-Age", "3600"},
	), refused
}

// maxAsked bounds how many headers an answer to a preflight names.
const maxAsked = 100

// Unlisted is why a post of an origin that the form does not list is not taken,
// for the log.
func Unlisted(origin string) string {
	if origin == "null" {
		return "the page hides its origin, as pages with Referrer-Policy: no-referrer, in a sandboxed frame or from a local file do; list null in origins to take its posts"
	}
	return "it is not among the form's origins"
}

// lists reports whether the configuration names the origin.
func (f *Form) lists(origin string) bool {
	if origin == "null" {
		return slices.Contains(f.origins, origin)
	}
	parsed, problem := parseOrigin(origin)
	return problem == "" && slices.Contains(f.origins, parsed)
}

// Location is where the answer to a taken post leads, "" for the built-in
// page: what the post asked for with _next, else the form's `redirect`. A path
// is resolved against the page that posted, as its Origin or Referer header
// tells, so that it leads to the website and not to the gateway.
func (f *Form) Location(r Result, origin, referer string) string {
	to := r.next
	if to.path == "" {
		to = f.redirect
	}
	if to.origin != "" || to.path == "" {
		return to.origin + to.path
	}
	return f.base(origin, referer) + to.path
}

// base is the origin of the website that the form stands on, as far as known.
// Where any website may post it is the one that does, as the browser tells: that
// leads its visitors nowhere else than where they come from.
func (f *Form) base(origin, referer string) string {
	for _, candidate := range []string{origin, originOf(referer), f.redirect.origin} {
		if candidate != "" && candidate != "null" && (len(f.origins) == 0 || f.lists(candidate) || candidate == f.redirect.origin) {
			if base := originOf(candidate); base != "" {
				return base
			}
		}
	}
	for _, o := range f.origins {
		if o != "null" {
			return o
		}
	}
	return ""
}

// back is the page to link back to: the referring one, if it is within the
// form's origins, else "".
func (f *Form) back(referer string) string {
	u, err := url.Parse(referer)
	if err != nil || u.User != nil || !f.lists(originOf(referer)) {
		return ""
	}
	return u.String()
}

// target is an address that a visitor may be sent to. The zero target is none.
type target struct {
	origin string // "" for a path on the website
	path   string // starts with a slash; with query and fragment
}

// parseTarget reads an absolute http(s) URL or a path. It refuses everything
// that browsers may read as another host than it looks like: //host, /\host,
// control characters (which they drop), user information.
func parseTarget(text string) (target, bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) || len(text) > 2048 {
		return target{}, false
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" {
		return target{}, false
	}
	if u.Scheme == "" && u.Host == "" {
		ok := strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
		return target{path: escapeNonASCII(text)}, ok
	}
	origin := originOf(text)
	if origin == "" {
		return target{}, false
	}
	_, rest, _ := strings.Cut(text, "://")
	path := "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		path = "/" + strings.TrimPrefix(escapeNonASCII(rest[i:]), "/")
	}
	return target{origin: origin, path: path}, true
}

// escapeNonASCII makes a URL's text fit for a header field.
func escapeNonASCII(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			b.WriteByte(text[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", text[i])
		}
	}
	return b.String()
}

// allowsTarget reports whether a post may choose to be sent there.
func (f *Form) allowsTarget(to target) bool {
	return to.origin == "" || to.origin == f.redirect.origin || f.lists(to.origin)
}

// originOf is the origin of a URL, "" if it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" {
		return ""
	}
	origin, problem := parseOrigin(u.Scheme + "://" + u.Host)
	if problem != "" {
		return ""
	}
	return origin
}

// parseOrigin reads an origin and gives it the form that browsers send (RFC
// 6454, section 6.2): lower case, ASCII host, no default port, no slash at the
// end. problem is for people and "" when there is none.
func parseOrigin(text string) (origin, problem string) {
	if text == "null" {
		return text, ""
	}
	if strings.Contains(text, "*") {
		return "", "it must name one host, without *"
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return "", "it must start with https:// or http:// and a host"
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", "it is only scheme, host and port"
	}
	host := strings.ToLower(u.Hostname())
	if ip := net.ParseIP(host); ip == nil {
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", "it is no valid host name"
		}
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := u.Port()
	if port == "" || (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		return u.Scheme + "://" + host, ""
	}
	return u.Scheme + "://" + host + ":" + port, ""
}

// originHint is what to write instead of a bad origin, "" if nothing is sure.
func originHint(text string) string {
	if strings.Contains(text, "*") {
		return "list each origin, or leave out \"origins\" to take posts from any page"
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	if o := originOf(text); o != "" {
		return "write " + o
	}
	return "write it like https://www.example.com"
}
