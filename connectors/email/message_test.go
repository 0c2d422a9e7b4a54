package email_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/rules/lang"
	"hookgate/test/connectortest"
	"hookgate/test/fakesmtp"
)

// decoded is a message as a mail program shows it.
type decoded struct {
	Header map[string]string
	Parts  []string // "type|file name|content"
}

func mustDecode(t *testing.T, raw string) decoded {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d := decoded{Header: map[string]string{}}
	words := new(mime.WordDecoder)
	for name, values := range m.Header {
		text, err := words.DecodeHeader(strings.Join(values, " | "))
		if err != nil {
			t.Fatal(err)
		}
		d.Header[name] = text
	}
	d.parts(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body)
	return d
}

func (d *decoded) parts(t *testing.T, contentType, encoding, file string, body io.Reader) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		text, err := io.ReadAll(decodeTransfer(encoding, body))
		if err != nil {
			t.Fatal(err)
		}
		d.Parts = append(d.Parts, kind+"|"+file+"|"+strings.ReplaceAll(string(text), "\r\n", "\n"))
		return
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name, err := new(mime.WordDecoder).DecodeHeader(p.FileName())
		if err != nil {
			t.Fatal(err)
		}
		d.parts(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), name, p)
	}
}

func TestEmail_message(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	d := connectortest.Delivery(`{"recipient":["Ada Lovelace <ada@example.com>","post@müller.example"],"cc":"Doe, Jane <jane@example.com>","bcc":"boss@agency.example",
		"reply_to":"Zoë \"Z\" <zoe@example.com>","subject":"Grüße an Ada","text":"Hello Ada,\n.\nünïcode\n","html":"<p>Hello <b>Ada</b></p>",
		"headers":{"X-Priority":1,"List-Unsubscribe":"<https://agency.example/u>"}}`)
	d.Created = time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	receipt, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), d)
	if err != nil || receipt.Status != 250 || !strings.Contains(string(receipt.Answer), "OK") {
		t.Fatal(receipt, err)
	}
	if want := "<" + event.DeliveryID(4711).String() + "@agency.example>"; receipt.Outputs["id"].String() != want {
		t.Errorf("the outputs are %v, want the id %s", receipt.Outputs, want)
	}
	got := s.Messages()[0]
	if diff := cmp.Diff([]string{"ada@example.com", "post@xn--mller-kva.example", "jane@example.com", "boss@agency.example"}, got.To); diff != "" {
		t.Error(diff)
	}
	m := mustDecode(t, got.Raw)
	for name, want := range map[string]string{
		"From": `"Agency" <hello@agency.example>`, "To": `"Ada Lovelace" <ada@example.com>, <post@xn--mller-kva.example>`,
		"Cc": `"Doe, Jane" <jane@example.com>`, "Bcc": "", "Subject": "Grüße an Ada", "Reply-To": `Zoë Z <zoe@example.com>`,
		"Date": "Tue, 10 Mar 2026 10:00:00 +0000", "Message-Id": "<" + event.DeliveryID(4711).String() + "@agency.example>",
		"Auto-Submitted": "auto-generated", "X-Priority": "1", "List-Unsubscribe": "<https://agency.example/u>",
		"Mime-Version": "1.0", "User-Agent": "", "X-Mailer": "",
	} {
		if m.Header[name] != want {
			t.Errorf("%s: got %q, want %q", name, m.Header[name], want)
		}
	}
	if diff := cmp.Diff([]string{"text/plain||Hello Ada,\n.\nünïcode\n", "text/html||<p>Hello <b>Ada</b></p>"}, m.Parts); diff != "" {
		t.Error(diff)
	}
}

func TestEmail_htmlAlone(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	page := `<html><head><title>T</title><style>p{}</style></head><body><h1>Hello Ada</h1><p>Thank you, <b>really</b>.<br>See <a href="https://agency.example/x">our page</a>.</p><ul><li>one</li><li>two &amp; three</li></ul><script>x()</script></body></html>`
	_, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(fmt.Sprintf(`{"recipient":"a@example.com","html":%q}`, page)))
	if err != nil {
		t.Fatal(err)
	}
	m := mustDecode(t, s.Messages()[0].Raw)
	want := "Hello Ada\n\nThank you, really.\nSee our page (https://agency.example/x).\n\n- one\n- two & three"
	if diff := cmp.Diff([]string{"text/plain||" + want, "text/html||" + page}, m.Parts); diff != "" {
		t.Error(diff)
	}
	if m.Header["Subject"] != "(no subject)" {
		t.Errorf("subject: %q", m.Header["Subject"])
	}
}

func TestEmail_utf8(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{UTF8: true})
	if _, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"recipient":"jörg@x.example","text":"x"}`)); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages()[0].To; got[0] != "jörg@x.example" {
		t.Errorf("got %q", got)
	}
}

// Recipients with names, as issue trackers list them, and a name that looks
// like an address: it adds nobody.
func TestEmail_namedRecipients(t *testing.T) {
	t.Parallel()
	scope, inputs := connectortest.MustInputs(t, "email", `{"watchers":["Ann <ann@x.example>","Bo <bo@x.example>",null],"name":"Eve <eve@evil.example>","mail":"ada@x.example"}`)
	render := func(key, text string) string {
		template, list := lang.NewCompiler().Template(connectortest.MustParse(t, "v: "+text).Get("v"), inputs[key])
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		out, _, err := template.AppendJSON(nil, scope)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	s := mustMailServer(t, fakesmtp.Options{})
	output := `{"text":"x","recipient":` + render("recipient", "'${{ data.watchers }}'") + `,"cc":` + render("cc", "'${{ data.name }} <${{ data.mail }}>'") + `}`
	if _, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ann@x.example", "bo@x.example", "ada@x.example"}, s.Messages()[0].To); diff != "" {
		t.Error(diff)
	}
}

// No line of a message has more than 998 octets (RFC 5322, section 2.1.1),
// whatever is in it, and what was folded reads as it was written.
//
// Promise: T12.
func TestEmail_longLines(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]string{
		"no blank": strings.Repeat("x", 5000), "umlauts": strings.Repeat("ü", 2000), "words": strings.Repeat("ab ", 1999) + "ab",
		"one long word": "a " + strings.Repeat("y", 1200) + " b", "just short enough": strings.Repeat("x", 900),
		"marks": "=?utf-8?q?" + strings.Repeat("z", 1200) + "?=", "quotes": strings.Repeat(`"\\`, 600),
	} {
		s := mustMailServer(t, fakesmtp.Options{})
		deps := connectortest.Deps(t)
		deps.Files = connectortest.MemoryFiles{"f": "x"}
		quoted, err := json.Marshal(long)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Trim(string(quoted), `"`)
		if name == "quotes" {
			text = string(quoted)[1 : len(quoted)-1]
		}
		output := fmt.Sprintf(`{"recipient":"%[1]s <a@x.example>","cc":"%[1]s <b@x.example>","reply_to":"%[1]s <c@x.example>","subject":"%[1]s",
			"headers":{"X-Page":"%[1]s"},"text":"%[1]s","html":"<p>%[1]s</p>","attachments":[{"id":"f","name":"%[1]s.pdf"}]}`, text)
		if _, err := mustMail(t, mailSettings(t, s, ""), deps).Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
			t.Fatal(name, err)
		}
		raw := s.Messages()[0].Raw
		for line := range strings.SplitSeq(raw, "\n") {
			if len(strings.TrimSuffix(line, "\r")) > 998 {
				t.Errorf("%s: a line of %d octets: %.80s", name, len(line), line)
			}
		}
		m := mustDecode(t, raw)
		if m.Header["Subject"] != long || m.Header["X-Page"] != long {
			t.Errorf("%s: the subject became %.200q, the header %.200q", name, m.Header["Subject"], m.Header["X-Page"])
		}
		sent, err := mail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"To", "Cc", "Reply-To"} {
			if list, err := sent.Header.AddressList(key); err != nil || len(list) != 1 || !strings.HasSuffix(list[0].Address, "@x.example") || !strings.Contains(list[0].Name, long[len(long)-9:len(long)-2]) {
				t.Errorf("%s: %s became %.200q: %v", name, key, list, err)
			}
		}
		if len(m.Parts) != 3 || !strings.Contains(m.Parts[0], long) {
			t.Errorf("%s: got the parts %.300q", name, m.Parts)
		}
	}
}
