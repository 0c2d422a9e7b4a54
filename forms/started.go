package forms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// startedField carries the time token: when the visitor got the form, signed.
	startedField = "_started"
	// startedFor is how long a token is good: a page may be left open for days,
	// but one token must not serve a robot for ever.
	startedFor = 7 * 24 * time.Hour
)

// Timed reports whether the form's pages need a time token.
func (f *Form) Timed() bool { return f.minTime > 0 }

// Started is a time token of the form: the time, signed with key.
func (f *Form) Started(key []byte, now time.Time) string {
	at := strconv.FormatInt(now.UnixMilli(), 36)
	return at + "." + f.sign(key, at)
}

func (f *Form) sign(key []byte, at string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "form %s %s", f.Name, at) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// StartedScript is the program that puts a time token into the form's snippets
// on the page that loads it.
func (f *Form) StartedScript(key []byte, now time.Time) (string, error) {
	texts := make([]string, 2)
	for i, text := range []string{`input[name="` + startedField + `"][data-form="` + f.Name + `"]`, f.Started(key, now)} {
		literal, err := json.Marshal(text)
		if err != nil {
			return "", fmt.Errorf("write the time token of form %s: %w", f.Name, err)
		}
		texts[i] = string(literal)
	}
	return "document.querySelectorAll(" + texts[0] + ").forEach(function (input) { input.value = " + texts[1] + "; });\n", nil
}

// tooFast judges a post by its time token.
func (f *Form) tooFast(r *Result, key []byte, now time.Time) string {
	if !f.Timed() {
		return ""
	}
	i := slices.IndexFunc(r.posted, func(p keptField) bool { return p.Name == startedField && plain(p.Value) != "" })
	if i < 0 {
		return "min_time: no time token; the page did not fetch one"
	}
	at, signature, _ := strings.Cut(plain(r.posted[i].Value), ".")
	ms, err := strconv.ParseInt(at, 36, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(f.sign(key, at))) {
		return "min_time: the time token is not ours"
	}
	switch age := now.Sub(time.UnixMilli(ms)); {
	case age < f.minTime:
		return fmt.Sprintf("min_time: filled in within %s, less than %s", max(0, age.Round(100*time.Millisecond)), f.minTime)
	case age > startedFor:
		return "min_time: the time token is older than 7 days"
	}
	return ""
}
