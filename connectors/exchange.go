package connectors

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"hookgate/internal/event"
)

const (
	// maxLine bounds the line of a request that is kept, in bytes.
	maxLine = 500
	// maxHeader bounds the value of a header that is kept, in bytes.
	maxHeader = 200
	// leftOut stands for a part of a URL that may be a credential.
	leftOut = "…"
)

// keptHeaders are those of an answer that tell what happened: what kind of answer
// it is, who gave it, by which number the receiver knows the request, and when it
// wants the next. None of them carries a credential. The length and the time are known
// without them, and they are kept for each attempt.
var keptHeaders = []string{
	"Content-Type", "Server", "Via", "Retry-After", "Location",
	"X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Trace-Id", "X-Amzn-Requestid", "X-Amz-Request-Id", "X-Ms-Request-Id",
	"X-Github-Request-Id", "X-Slack-Req-Id", "X-Hubspot-Correlation-Id", "Cf-Ray",
	"Ratelimit", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset",
	"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
}

// RequestLine is the method and the URL of a request as they are kept. Of the path
// only words are kept and of the query only the names: the rest may be a credential,
// and in a webhook's URL it usually is.
func RequestLine(method string, u *url.URL, secrets *Redactor) string {
	line := method + " " + plainURL(u, secrets)
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + leftOut
	}
	return line
}

func plainURL(u *url.URL, secrets *Redactor) string {
	var b strings.Builder
	if u.Scheme != "" {
		b.WriteString(u.Scheme + ":")
	}
	if u.Host != "" { // a relative one has none
		b.WriteString("//" + secrets.Text(u.Host))
	}
	for i, segment := range strings.Split(u.EscapedPath(), "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		switch {
		case segment == "":
		case isWord(segment):
			b.WriteString(secrets.Text(segment))
		default:
			b.WriteString(leftOut)
		}
	}
	separator := byte('?')
	for _, name := range slices.Sorted(queryNames(u)) {
		b.WriteByte(separator)
		if isWord(name) {
			b.WriteString(secrets.Text(name))
		} else {
			b.WriteString(leftOut)
		}
		b.WriteString("=" + leftOut)
		separator = '&'
	}
	return b.String()
}

func queryNames(u *url.URL) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if u.RawQuery == "" {
			return
		}
		for name := range u.Query() {
			if !yield(name) {
				return
			}
		}
	}
}

// isWord tells what people call a part of a URL from what a machine made up:
// subscriptions, chat.postMessage, v1.
func isWord(segment string) bool {
	if version, ok := strings.CutPrefix(segment, "v"); ok && len(version) <= 2 && strings.Trim(version, "0123456789") == "" {
		return true
	}
	for part := range strings.SplitSeq(segment, ".") {
		if looksLikeToken(part) || strings.ContainsFunc(part, isNoLetter) {
			return false
		}
	}
	return true
}

func isNoLetter(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

// keep picks the headers of an answer that are kept, without secrets.
func keep(header http.Header, secrets *Redactor) []event.Header {
	var kept []event.Header
	for _, name := range keptHeaders {
		values := header[name]
		if len(values) == 0 {
			continue
		}
		value := values[0]
		if name == "Location" {
			target, err := url.Parse(value)
			if err != nil {
				continue
			}
			value = plainURL(target, secrets)
		}
		if value = oneLine(secrets.Text(value)); value == "" {
			continue
		}
		if kept == nil {
			kept = make([]event.Header, 0, 5)
		}
		kept = append(kept, event.Header{Name: strings.ToLower(name), Value: value})
	}
	return kept
}

// oneLine is a value without what could end the line it stands in.
func oneLine(value string) string {
	if strings.ContainsFunc(value, unicode.IsControl) {
		value = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, value)
	}
	if len(value) > maxHeader {
		value = strings.ToValidUTF8(value[:maxHeader], "") + leftOut
	}
	return strings.TrimSpace(value)
}
