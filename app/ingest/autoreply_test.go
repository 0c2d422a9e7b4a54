package ingest_test

import (
	"testing"

	"hookgate/app/ingest"
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

func TestMailbox(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"Ada@Example.COM": "ada@example.com", "ada+1@x.example": "ada@x.example", "ada+1+2@x.example": "ada@x.example", "+1@x.example": "+1@x.example", "x": "x@",
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
