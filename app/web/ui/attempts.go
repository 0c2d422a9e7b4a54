package ui

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

const (
	// maxShown is how much of an answer a page shows, in characters; the API has
	// all that is kept.
	maxShown = 2000
	// maxSaid is how much of it stands in one line.
	maxSaid = 120
)

// attempt is a try at a delivery with what was asked and answered.
type attempt struct {
	admin.Attempt
	Open     bool
	Asked    string // the line of the request
	Answered string // status, headers and the beginning of the body; "": nothing came
	Said     string // the beginning of the answer in one line
}

// Exchanged reports whether there is more to see than a line.
func (a attempt) Exchanged() bool { return a.Asked != "" || a.Answered != "" }

// Attempts are the tries at a delivery. Of one that has not arrived the last is open.
func (v *view) Attempts(d admin.Delivery) []attempt {
	list := make([]attempt, 0, len(d.History))
	for i, a := range d.History {
		list = append(list, attempt{
			Attempt: a, Asked: a.Request, Answered: answerOf(&a), Said: shortened(strings.Join(strings.Fields(a.Answer), " "), maxSaid),
			Open: d.State != event.Delivered && i == len(d.History)-1,
		})
	}
	return list
}

// FailedBeside is why a delivery failed, where no try says it.
func (v *view) FailedBeside(d admin.Delivery) string {
	if n := len(d.History); n > 0 && d.History[n-1].Error == d.Error {
		return ""
	}
	return d.Error
}

// answerOf is an answer as HTTP writes it.
func answerOf(a *admin.Attempt) string {
	var b strings.Builder
	if a.Status > 0 {
		word := ""
		if a.Request != "" { // that of another protocol means something else
			word = http.StatusText(a.Status)
		}
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, word)))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		fmt.Fprintf(&b, "%s: %s\n", name, a.Headers[name])
	}
	if body := strings.TrimSpace(a.Answer); body != "" {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(shortened(body, maxShown))
	}
	return strings.TrimRight(b.String(), "\n")
}
