package ingest_test

import (
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/forms"
	"hookgate/internal/yamlnode"
)

// Addresses that programs have get no reply; people's do, whatever is in them.
func TestAutomatic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"mailer-daemon@x.example": true, "MAILER-DAEMON@x.example": true, "postmaster@x.example": true, "no-reply@x.example": true,
		"noreply+abc@x.example": true, "owner-list@x.example": true, "list-request@x.example": true, "list-owner@x.example": true,
		"list-bounces@x.example": true, "bounce-4711@x.example": true, "nicht-antworten@x.example": true,
		"ada@example.com": false, "request@x.example": false, "owner@x.example": false, "daemonia@x.example": false,
		"noreplyson@x.example": false, "root.beer@x.example": false, "info@no-reply.example": false, "bouncer@x.example": false,
	} {
		if got := ingest.Automatic(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// Promise: T17.
func TestMailbox(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"Ada@Example.COM": "ada@example.com", "ada+1@x.example": "ada@x.example", "ada+1+2@x.example": "ada@x.example", "+1@x.example": "+1@x.example", "x": "x@",
		"V.ictim.Person@gmail.com": "victimperson@gmail.com", "victim.person+x@googlemail.com": "victimperson@gmail.com", "victim.person@gmail.com.": "victimperson@gmail.com",
		`"victim.person"@gmail.com`: "victimperson@gmail.com", "victimperson@gmail。com": "victimperson@gmail.com", "a.b@x.example": "a.b@x.example",
	} {
		if got := ingest.Mailbox(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
	for output, want := range map[string]string{
		`{"recipient":"Ada <ada@x.example>"}`: "ada@x.example", `{"recipient":" ada@x.example "}`: "ada@x.example",
		`{"recipient":"A, B <ada@x.example>"}`: "ada@x.example", `{"recipient":null}`: "", `{"recipient":""}`: "", `{}`: "", `x`: "",
		`{"recipient":["a@x.example"]}`: "a@x.example", `{"recipient":[]}`: "[]", `{"recipient":[1]}`: "[1]", `{"recipient":"nonsense"}`: "nonsense",
	} {
		if got, several := ingest.Recipient([]byte(output)); got != want || several {
			t.Errorf("%s: %q, several: %t", output, got, several)
		}
	}
	for _, output := range []string{`{"recipient":["a@x.example","b@x.example"]}`, `{"recipient":"a@x.example, B <b@x.example>"}`} {
		if _, several := ingest.Recipient([]byte(output)); !several {
			t.Errorf("%s: taken for one address", output)
		}
	}
}

// There are never more replies in an hour than the limit says, and half of them
// come back while it goes on.
//
// Promise: T17.
func TestReplyLimits(t *testing.T) {
	t.Parallel()
	var limits ingest.ReplyLimits
	limit, at := yamlnode.Rate{Count: 20, Per: time.Hour}, time.Now()
	sent := 0
	for i := range 3600 {
		if limits.Take("contact", limit, at.Add(time.Duration(i)*time.Second)) {
			sent++
		}
	}
	if sent < 18 || sent > 20 {
		t.Errorf("%d replies in an hour", sent)
	}
	if !limits.Take("other", limit, at) || !limits.Take("contact", yamlnode.Rate{Count: 40, Per: time.Hour}, at) {
		t.Error("another form, or a limit that a reload has raised, waits")
	}
}

// What a visitor writes is not sent to whom the visitor names, but for a name.
//
// Promise: T17.
func TestReplyHeld_visitorsWords(t *testing.T) {
	t.Parallel()
	compile := func(more string) *forms.Autoreply {
		root, list := yamlnode.Parse("f.yaml", []byte("f: { fields: any, autoreply: { to: mail, recipient: x, subject: y, text: z"+more+" } }"))
		entry := root.Fields()[0]
		form, faults := forms.Compile(entry.Key, entry.Value)
		if list.Err() != nil || faults.Err() != nil {
			t.Fatal(list, faults)
		}
		return form.Autoreply()
	}
	careful, quoting := compile(""), compile(", quote: true")
	long := strings.Repeat("Buy now ", 20)
	for name, c := range map[string]struct {
		output, data string
		held         bool
	}{
		"a name":                 {`{"recipient":"a@x.example","text":"Hello Ada Lovelace"}`, `{"name":"Ada Lovelace","message":"` + long + `"}`, false},
		"the address itself":     {`{"recipient":"a@x.example","text":"You wrote as a@x.example"}`, `{"email":"a@x.example"}`, false},
		"a link":                 {`{"recipient":"a@x.example","text":"Hello Win at https://evil.example/x"}`, `{"name":"Win at https://evil.example/x"}`, true},
		"a link in the subject":  {`{"recipient":"a@x.example","subject":"Hi www.evil.example","text":""}`, `{"name":"www.evil.example"}`, true},
		"a link, escaped":        {`{"recipient":"a@x.example","html":"<p>https://evil.example/?a=1&amp;b=2</p>"}`, `{"name":"https://evil.example/?a=1&b=2"}`, true},
		"one without a scheme":   {`{"recipient":"a@x.example","text":"evil.example/prize"}`, `{"extra":{"x":["evil.example/prize"]}}`, true},
		"our own link":           {`{"recipient":"a@x.example","text":"https://agency.example/"}`, `{"name":"Ada","site":"https://ada.example"}`, false},
		"a long text":            {`{"recipient":"a@x.example","text":"You wrote: ` + long + `"}`, `{"message":"` + long + `"}`, true},
		"the beginning of one":   {`{"recipient":"a@x.example","text":"` + long[:120] + `"}`, `{"message":"` + long + `"}`, true},
		"several lines":          {`{"recipient":"a@x.example","text":"a\n\nBuy now"}`, `{"name":"a\n\nBuy now"}`, true},
		"a long text, not in it": {`{"recipient":"a@x.example","text":"Thank you."}`, `{"message":"` + long + `"}`, false},
	} {
		if got := ingest.ReplyHeld(careful, []byte(c.output), []byte(c.data)); (got != "") != c.held {
			t.Errorf("%s: %q", name, got)
		}
		if got := ingest.ReplyHeld(quoting, []byte(c.output), []byte(c.data)); got != "" {
			t.Errorf("%s, with quote: %q", name, got)
		}
	}
}
