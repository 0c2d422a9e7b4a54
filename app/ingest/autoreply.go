package ingest

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/time/rate"

	"hookgate/forms"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// replyWindow is how long nobody gets a second reply of the same form.
const replyWindow = 24 * time.Hour

// asReply holds a reply back that nobody should get, and else sees to it that
// the address gets no other for a day.
func asReply(d *event.Delivery, e *event.Event, reply *forms.Autoreply) {
	if reason := replyHeld(reply, d.Output, e.Data()); reason != "" {
		d.State, d.Error, d.Cancelled = event.Cancelled, reason, event.ByCondition
		return
	}
	address, _ := recipient(d.Output)
	d.Once = &event.Once{
		Scope: e.Source + "/" + event.AutoreplyRule, Key: digest("reply:", []byte(mailbox(address))), Window: replyWindow,
		Reason: address + " was sent this form's reply within the last day",
	}
}

// limitReply holds a reply back that is one more than its form may send.
func (in *Intake) limitReply(d *event.Delivery, e *event.Event, f *forms.Form) {
	if d.Rule != event.AutoreplyRule || d.State != event.Waiting || f == nil || f.Autoreply() == nil {
		return
	}
	if limit := f.Autoreply().Limit; !in.replied.take(e.Source, limit, e.ReceivedAt) {
		d.State, d.Error, d.Once = event.Cancelled, fmt.Sprintf("the form has sent all the replies that it may: %s", limit), nil
		d.Cancelled = event.ByThrottle
	}
}

// replyLimits count the replies of each form. The zero value is ready for use.
type replyLimits struct {
	mu    sync.Mutex
	forms map[string]*limiter
}

// take reports whether one more may go. Half of what the limit allows may go at
// once, and the other half comes back over its time: so there are never more
// than it says, whenever one begins to count.
func (l *replyLimits) take(form string, limit yamlnode.Rate, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.forms[form]
	if of == nil || of.rate != limit { // the first one, or a reload has changed it
		of = &limiter{rate: limit, Limiter: rate.NewLimiter(rate.Every(2*limit.Per/time.Duration(limit.Count)), (limit.Count+1)/2)}
		if l.forms == nil {
			l.forms = map[string]*limiter{}
		}
		l.forms[form] = of
	}
	return of.AllowN(now, 1)
}

// replyHeld says why nobody gets a form's reply with this output, whatever was
// sent before; "": somebody does. data is what the visitor posted.
func replyHeld(reply *forms.Autoreply, output, data []byte) string {
	address, several := recipient(output)
	switch {
	case several:
		return "a reply goes to one address, and several were given"
	case address == "":
		return "there is no address to reply to"
	case automatic(address):
		return "nobody reads mail at " + address + ": that is a program's address"
	case reply != nil:
		return reply.Abused(output, data)
	}
	return ""
}

// recipient is the address in a rendered reply, "" where there is none. It
// reports several: whoever posts a field many times must not have mail sent to
// as many strangers.
func recipient(output []byte) (address string, several bool) {
	var out struct {
		Recipient json.RawMessage `json:"recipient"`
	}
	if json.Unmarshal(output, &out) != nil {
		return "", false
	}
	var list []string
	if json.Unmarshal(out.Recipient, &list) == nil && len(list) > 0 {
		return mailAddress(list[0]), len(list) > 1
	}
	var text string
	if json.Unmarshal(out.Recipient, &text) != nil {
		return string(out.Recipient), false // no text: the connector says what is wrong with it
	}
	if all, err := mail.ParseAddressList(text); err == nil && len(all) > 1 {
		return "", true
	}
	return mailAddress(text), false
}

// mailAddress is what is sent to, of an address as mail programs write it.
func mailAddress(text string) string {
	text = strings.TrimSpace(text)
	if parsed, err := mail.ParseAddress(text); err == nil {
		return parsed.Address
	}
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		text = strings.Trim(text[open:], "<> ")
	}
	return text
}

// googleMail are the domains of one service, which reads no dots before the @.
var googleMail = []string{"gmail.com", "googlemail.com"}

// mailbox is an address without what leads to the same one: the case, what
// stands behind a plus, a dot at the end, and of Google's mail every dot.
func mailbox(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, domain = strings.Trim(local, `"`), strings.TrimSuffix(domain, ".")
	if plain, _, found := strings.Cut(local, "+"); found && plain != "" {
		local = plain
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	if slices.Contains(googleMail, domain) {
		local, domain = strings.ReplaceAll(local, ".", ""), googleMail[0]
	}
	return local + "@" + domain
}

// programs are the names before the @ that programs have, which may answer
// each other for ever (RFC 3834, section 2; RFC 2142).
var programs = []string{
	"mailer-daemon", "mailerdaemon", "postmaster", "daemon", "root", "nobody", "listserv", "majordomo", "mailman", "sympa", "autoreply", "auto-reply",
	"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply", "nicht-antworten", "keine-antwort", "bounce", "bounces",
}

// automatic reports whether an address looks like a program's or a mailing
// list's.
func automatic(address string) bool {
	local, _, _ := strings.Cut(mailbox(address), "@")
	return slices.Contains(programs, local) || strings.HasPrefix(local, "owner-") || strings.HasPrefix(local, "bounce-") ||
		strings.HasPrefix(local, "bounces-") || strings.HasSuffix(local, "-request") || strings.HasSuffix(local, "-owner") ||
		strings.HasSuffix(local, "-bounces")
}
