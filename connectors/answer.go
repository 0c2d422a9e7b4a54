package connectors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hookgate/internal/event"
)

const (
	// MaxAnswer is how much of an answer is kept, in bytes, and read where the
	// status alone decides.
	MaxAnswer = 64 << 10
	// MaxReadAnswer is how much is read where the body decides. Slack repeats
	// the whole message in it.
	MaxReadAnswer = 1 << 20
	// maxRetryAfter bounds what a receiver can ask for.
	maxRetryAfter = 24 * time.Hour
	// excerptLength is how much of an answer an error quotes, in characters.
	excerptLength = 200
)

// Answer is what came back for one request, with the secrets taken out.
type Answer struct {
	Status int // 0: nothing came
	Header http.Header
	Body   []byte

	request string         // its line
	kept    []event.Header // of Header
}

// NoAnswer is that of a request to which nothing came back. line is its RequestLine.
func NoAnswer(line string) Answer { return Answer{request: line} }

// Receipt is the answer as it is kept.
func (a *Answer) Receipt() event.Receipt {
	kept := a.Body
	if len(kept) > MaxAnswer {
		kept = bytes.Clone(kept[:MaxAnswer]) // lets go of the rest
	}
	return event.Receipt{Status: a.Status, Answer: kept, Request: a.request, Headers: a.kept}
}

// ReadAnswer takes at most limit bytes of the body, which the caller closes. A
// body that goes on costs its connection then. line is the request's RequestLine.
// The error is that of reading the body; the answer holds what came before it.
func ReadAnswer(line string, resp *http.Response, secrets *Redactor, limit int) (Answer, error) {
	a := Answer{Status: resp.StatusCode, Header: resp.Header, request: line, kept: keep(resp.Header, secrets)}
	// What is read beyond the limit makes a secret at the cut recognisable.
	beyond := limit + secrets.longest
	raw, err := readUpTo(resp.Body, beyond+1, resp.ContentLength)
	cut := err != nil || len(raw) > beyond
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // a byte order mark is no part of the text
	a.Body = secrets.Clean(raw, cut)
	if a.Body = a.Body[:min(len(a.Body), limit)]; len(a.Body) == 0 {
		a.Body = nil
	}
	return a, err
}

// readUpTo reads body to its end, or limit bytes of it. length is how long it
// is said to be; negative: not said.
func readUpTo(body io.Reader, limit int, length int64) ([]byte, error) {
	if body == http.NoBody {
		return nil, nil
	}
	const usual, most = 512, 4096 // of the room made for it before it is there
	size := int64(usual)
	if length >= 0 {
		size = min(length, most) + 1 // one more, for the read that finds the end
	}
	raw := make([]byte, 0, size)
	for len(raw) < limit {
		raw = slices.Grow(raw, 1)
		n, err := body.Read(raw[len(raw):min(cap(raw), limit)])
		raw = raw[:len(raw)+n]
		if err == io.EOF {
			return raw, nil
		}
		if err != nil {
			return raw, err
		}
	}
	return raw, nil
}

// Failure is the error for a status that is no success: transient with the
// Retry-After that came along, or permanent.
func (a *Answer) Failure(now time.Time) error {
	err := errors.New(a.Describe())
	if !Transient(a.Status) {
		return Permanent(err)
	}
	return RetryAfter(err, ParseRetryAfter(a.Header.Get("Retry-After"), now))
}

// Describe is the status and the start of the answer, in one line.
func (a *Answer) Describe() string {
	line := strconv.Itoa(a.Status)
	if text := http.StatusText(a.Status); text != "" {
		line += " " + text
	}
	if words := Excerpt(string(a.Body)); words != "" {
		line += ": " + words
	}
	return line
}

// Transient reports whether a status is worth another try. 409 is among them
// because receivers that lock or create on the fly answer it for a while; 425
// is "too early" (RFC 8470, section 5.2).
func Transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}

// ParseRetryAfter reads the header in both forms of RFC 9110, section 10.2.3:
// seconds or a date. What is neither, or in the past, is 0.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

// Excerpt is the start of a text in one line, without control characters.
func Excerpt(text string) string {
	var b strings.Builder
	count, space := 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == unicode.ReplacementChar || !unicode.IsPrint(r):
			space = b.Len() > 0
			continue
		case count >= excerptLength:
			b.WriteString("…")
			return b.String()
		case space:
			b.WriteByte(' ')
			count++
			space = false
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}

// Seconds writes a duration for people: 15 s, 1.5 s, 2 min.
func Seconds(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}
