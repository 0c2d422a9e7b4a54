package connectors_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/event"
	"hookgate/connectors"
	"hookgate/test/fakesmtp"
)

func mustMailServer(t testing.TB, opt fakesmtp.Options) *fakesmtp.Server {
	t.Helper()
	s, err := fakesmtp.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// mailSettings are those of a connection to s; more is added under smtp.
func mailSettings(t testing.TB, s *fakesmtp.Server, more string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ca := ""
	if s.CA != nil {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, s.CA, 0o600); err != nil {
			t.Fatal(err)
		}
		ca = ", ca: " + path
	}
	login := fmt.Sprintf(", user: %s, password: %s", fakesmtp.User, fakesmtp.Password)
	if strings.Contains(more, "user:") || strings.Contains(more, "nobody") {
		login, more = "", strings.ReplaceAll(more, ", nobody", "")
	}
	return fmt.Sprintf("from: Agency <hello@agency.example>\nsmtp: { host: %s, port: %s%s%s%s }", host, port, ca, login, more)
}

func mustMail(t testing.TB, settings string, deps connectors.Deps) connectors.Connector {
	t.Helper()
	c, list := mustKind(t, "email").New(mustParse(t, settings), deps)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

const hello = `{"recipient":"ada@example.com","subject":"Hi","text":"Hello"}`

func TestEmail_encryption(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opt     fakesmtp.Options
		more    string
		want    string // the error; "": delivered
		outcome string
		clear   bool
	}{
		"starttls":            {},
		"starttls by LOGIN":   {opt: fakesmtp.Options{Mechanisms: []string{"LOGIN"}}},
		"implicit":            {opt: fakesmtp.Options{Implicit: true}, more: ", tls: tls"},
		"none":                {opt: fakesmtp.Options{NoTLS: true}, more: ", tls: none", clear: true},
		"none without login":  {opt: fakesmtp.Options{NoTLS: true, NoAuth: true}, more: ", tls: none, nobody", clear: true},
		"starttls refused":    {opt: fakesmtp.Options{NoTLS: true}, outcome: "permanent", want: "the server does not offer STARTTLS: nothing was sent, for it could be read on the way"},
		"no login offered":    {opt: fakesmtp.Options{NoAuth: true}, outcome: "permanent", want: "the server does not offer to sign in: leave user and password out, or try another port"},
		"unknown login":       {opt: fakesmtp.Options{Mechanisms: []string{"OAUTHBEARER", "XTOKEN"}}, outcome: "permanent", want: "the server offers no way to sign in that is known here, but OAUTHBEARER, XTOKEN"},
		"wrong password":      {more: ", user: hello@agency.example, password: wrong-canary-0012", outcome: "permanent", want: "535 5.7.8 wrong user or password for hello@agency.example with [redacted] (signing in as hello@agency.example)"},
		"tls to starttls":     {more: ", tls: tls", outcome: "transient", want: "TLS: the server does not speak it on this port: is it starttls, or port 465?"},
		"unknown certificate": {more: ", ca: NONE", outcome: "transient", want: "TLS: the certificate is signed by an unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustMailServer(t, tc.opt)
			if tc.more == ", ca: NONE" {
				s.CA, tc.more = nil, ""
			}
			receipt, err := mustMail(t, mailSettings(t, s, tc.more), testDeps(t)).Deliver(t.Context(), delivery(hello))
			if tc.want != "" {
				if err == nil || err.Error() != tc.want || outcome(err) != tc.outcome || len(s.Messages()) > 0 {
					t.Errorf("got %v, %s, and %d messages", err, outcome(err), len(s.Messages()))
				}
				return
			}
			got := s.Messages()
			if err != nil || receipt.Status != 250 || len(got) != 1 || got[0].TLS == tc.clear {
				t.Fatalf("got %v, %v, %+v", receipt, err, got)
			}
		})
	}
}

// A code of the server at each stage decides, and its words are shown.
func TestEmail_codes(t *testing.T) {
	t.Parallel()
	about := map[string]string{
		"auth": " (signing in as hello@agency.example)", "mail": " (sender hello@agency.example)", "rcpt": " (recipient ada@example.com)", "data": "",
	}
	for stage, suffix := range about {
		for code, want := range map[int]string{421: "transient", 450: "transient", 451: "transient", 452: "transient", 500: "permanent", 550: "permanent", 552: "permanent", 554: "permanent"} {
			t.Run(fmt.Sprint(stage, code), func(t *testing.T) {
				t.Parallel()
				s := mustMailServer(t, fakesmtp.Options{Refuse: func(at, _ string) error {
					if at != stage {
						return nil
					}
					return fakesmtp.Refusal(code, [3]int{code / 100, 7, 1}, "not today, "+fakesmtp.Password)
				}})
				receipt, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), delivery(hello))
				text := fmt.Sprintf("%d %d.7.1 not today, [redacted]%s", code, code/100, suffix)
				if outcome(err) != want || receipt.Status != code || err.Error() != text || strings.Contains(string(receipt.Answer), fakesmtp.Password) {
					t.Errorf("got %s with %d %q: %v, want %s", outcome(err), receipt.Status, receipt.Answer, err, text)
				}
			})
		}
	}
}

// One refused recipient keeps the message from all of them: nobody gets it
// twice when it is sent again.
func TestEmail_allOrNone(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{Refuse: func(stage, about string) error {
		if stage == "rcpt" && about == "gone@example.com" {
			return fakesmtp.Refusal(550, [3]int{5, 1, 1}, "no such user")
		}
		return nil
	}})
	_, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), delivery(`{"recipient":"ada@example.com","cc":["gone@example.com"],"text":"x"}`))
	if err == nil || err.Error() != "550 5.1.1 no such user (recipient gone@example.com)" || len(s.Messages()) != 0 {
		t.Errorf("got %v and %d messages", err, len(s.Messages()))
	}
}

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
	d := delivery(`{"recipient":["Ada Lovelace <ada@example.com>","post@müller.example"],"cc":"Doe, Jane <jane@example.com>","bcc":"boss@agency.example",
		"reply_to":"Zoë \"Z\" <zoe@example.com>","subject":"Grüße an Ada","text":"Hello Ada,\n.\nünïcode\n","html":"<p>Hello <b>Ada</b></p>",
		"headers":{"X-Priority":1,"List-Unsubscribe":"<https://agency.example/u>"}}`)
	d.Created = time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	receipt, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), d)
	if err != nil || receipt.Status != 250 || !strings.Contains(string(receipt.Answer), "OK") {
		t.Fatal(receipt, err)
	}
	if want := "<" + event.DeliveryID(4711).String() + "@agency.example>"; receipt.Outputs["id"] != want {
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
	_, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), delivery(fmt.Sprintf(`{"recipient":"a@example.com","html":%q}`, page)))
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

func TestEmail_cannotBeSent(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	many := strings.TrimSuffix(strings.Repeat(`"a@example.com",`, 101), ",")
	c := mustMail(t, mailSettings(t, s, ""), testDeps(t))
	for output, want := range map[string]string{
		`null`:                           "text and html are empty",
		`[]`:                             "the stored output is not that of an action to an email connection",
		`{"recipient":"a@x.example"}`:    "text and html are empty",
		`{"text":"x"}`:                   "recipient is empty: nobody would get the message",
		`{"text":"x","recipient":[]}`:    "recipient is empty: nobody would get the message",
		`{"text":"x","recipient":{}}`:    "recipient is neither an address nor a list of addresses",
		`{"text":"x","recipient":"ada"}`: `recipient: "ada" is no address: it is not an address like ada@example.com`,
		`{"text":"x","recipient":"a@x.example","cc":"Bob <bob>"}`:                           `cc: "Bob <bob>" is no address: what stands in < > is not an address like ada@example.com`,
		`{"text":"x","recipient":"a@b@x.example"}`:                                          `recipient: "a@b@x.example" is no address: it is not an address like ada@example.com`,
		`{"text":"x","recipient":"a@x.example\r\nBcc: b@x.example"}`:                        `recipient: "a@x.example Bcc: b@x.example" is no address: it is not an address like ada@example.com`,
		`{"text":"x","recipient":[` + many + `]}`:                                           "there are 101 recipients, a message can have 100",
		`{"text":"x","recipient":"a@x.example","subject":"a\nBcc: b@x.example"}`:            "the subject holds a line break or another control character",
		`{"text":"x","recipient":"a@x.example","headers":{"X-A":"a\r\nBcc: b@x.example"}}`:  `the value of the header "X-A" holds a line break or another control character`,
		`{"text":"x","recipient":"a@x.example","headers":{"bcc":"b@x.example"}}`:            `the header "bcc" has a key of its own: bcc`,
		`{"text":"x","recipient":"a@x.example","headers":{"X: y\r\nBcc":"b@x.example"}}`:    "the header \"X: y\\r\\nBcc\" is not a valid header name",
		`{"text":"x","recipient":"jörg@x.example"}`:                                         "the server cannot take the address jörg@x.example: it does not offer SMTPUTF8",
		`{"text":"x","recipient":"a@x.example","attachments":"brief.pdf"}`:                  "attachments holds something that is not a form's file",
		`{"text":"x","recipient":"a@x.example","attachments":[{"id":"f1","name":"b.pdf"}]}`: `the attachment "b.pdf": the file is no longer stored`,
	} {
		_, err := c.Deliver(t.Context(), delivery(output))
		if outcome(err) != "permanent" || err.Error() != want {
			t.Errorf("%s: got %v, want %s", output, err, want)
		}
	}
	if n := len(s.Messages()); n > 0 {
		t.Errorf("%d messages arrived", n)
	}
}

func TestEmail_utf8(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{UTF8: true})
	if _, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), delivery(`{"recipient":"jörg@x.example","text":"x"}`)); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages()[0].To; got[0] != "jörg@x.example" {
		t.Errorf("got %q", got)
	}
}

// What people type into a form's e-mail field is no reason to lose the mail.
func TestEmail_badReplyTo(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	receipt, err := mustMail(t, mailSettings(t, s, ""), testDeps(t)).Deliver(t.Context(), delivery(`{"recipient":"a@x.example","reply_to":"not an address","text":"x"}`))
	if err != nil || !strings.HasPrefix(string(receipt.Answer), `reply_to: "not an address" is no address: it is not an address like ada@example.com, and was left out`+"\n") {
		t.Errorf("got %q, %v", receipt.Answer, err)
	}
	if m := mustDecode(t, s.Messages()[0].Raw); m.Header["Reply-To"] != "" {
		t.Errorf("got %q", m.Header["Reply-To"])
	}
}

// memoryFiles are files by id.
type memoryFiles map[string]string

// Open implements connectors.Files.
func (m memoryFiles) Open(_ context.Context, id string) (io.ReadCloser, connectors.FileInfo, error) {
	content, found := m[id]
	if !found {
		return nil, connectors.FileInfo{}, fmt.Errorf("%s: %w", id, connectors.ErrNoFile)
	}
	return io.NopCloser(strings.NewReader(content)), connectors.FileInfo{Size: int64(len(content))}, nil
}

// brokenFiles break off while they are read.
type brokenFiles struct{}

// Open implements connectors.Files.
func (brokenFiles) Open(context.Context, string) (io.ReadCloser, connectors.FileInfo, error) {
	content := io.MultiReader(strings.NewReader(strings.Repeat("x", 10_000)), errorReader{})
	return io.NopCloser(content), connectors.FileInfo{Size: 20_000}, nil
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestEmail_attachments(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	deps := testDeps(t)
	big := strings.Repeat("0123456789abcde\n", 1<<16)
	deps.Files = memoryFiles{"f1": big, "f2": "two"}
	c := mustMail(t, mailSettings(t, s, ""), deps)
	output := `{"recipient":"a@x.example","text":"see attached","attachments":[
		{"id":"f1","name":"../../etc/Angebot \"für\" Ada\r\nX: y.pdf","type":"application/pdf","size":1},null,
		[{"id":"f2","name":"two.txt","type":"text/plain\r\nX-Evil: 1"}],""]}`
	if _, err := c.Deliver(t.Context(), delivery(output)); err != nil {
		t.Fatal(err)
	}
	m := mustDecode(t, s.Messages()[0].Raw)
	want := []string{"text/plain||see attached", "application/pdf|Angebot _für_ Ada__X_ y.pdf|" + big, "application/octet-stream|two.txt|two"}
	if diff := cmp.Diff(want, m.Parts); diff != "" {
		t.Errorf("%.2000s", diff)
	}

	deps.Files = memoryFiles{"f1": strings.Repeat("x", 19<<20)}
	_, err := mustMail(t, mailSettings(t, s, ""), deps).Deliver(t.Context(), delivery(output))
	if outcome(err) != "permanent" || err.Error() != "the attachments have more than 18 MB together" {
		t.Errorf("got %v", err)
	}
	// Nothing arrives of a message whose attachment broke off.
	deps.Files = brokenFiles{}
	_, err = mustMail(t, mailSettings(t, s, ""), deps).Deliver(t.Context(), delivery(output))
	if outcome(err) != "transient" || err.Error() != `the attachment "Angebot _für_ Ada__X_ y.pdf": input/output error` {
		t.Errorf("got %v", err)
	}
	if n := len(s.Messages()); n != 1 {
		t.Errorf("%d messages arrived", n)
	}
}
