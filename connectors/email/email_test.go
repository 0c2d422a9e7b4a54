package email_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/connectors"
	"hookgate/test/connectortest"
	"hookgate/test/fakesmtp"
)

func TestTester(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	good, ok := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).(connectors.Tester)
	if !ok || good.TestInfo().Message {
		t.Fatal("it has no harmless test")
	}
	if tried, err := good.Test(t.Context(), 1); err != nil || tried.Status != 250 || tried.Said != "signed in" {
		t.Errorf("got %+v, %v", tried, err)
	}
	bad := mustMail(t, mailSettings(t, s, ", user: someone, password: canary-wrong-0002"), connectortest.Deps(t)).(connectors.Tester)
	if tried, err := bad.Test(t.Context(), 1); connectortest.Outcome(err) != "permanent" || tried.Status != 535 || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %+v, %v", tried, err)
	}
	if got := len(s.Messages()); got > 0 {
		t.Errorf("%d messages were sent", got)
	}
}

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
	c, list := connectortest.MustKind(t, "email").New(connectortest.MustParse(t, settings), deps)
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
			receipt, err := mustMail(t, mailSettings(t, s, tc.more), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(hello))
			if tc.want != "" {
				if err == nil || err.Error() != tc.want || connectortest.Outcome(err) != tc.outcome || len(s.Messages()) > 0 {
					t.Errorf("got %v, %s, and %d messages", err, connectortest.Outcome(err), len(s.Messages()))
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
				receipt, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(hello))
				text := fmt.Sprintf("%d %d.7.1 not today, [redacted]%s", code, code/100, suffix)
				if connectortest.Outcome(err) != want || receipt.Status != code || err.Error() != text || strings.Contains(string(receipt.Answer), fakesmtp.Password) {
					t.Errorf("got %s with %d %q: %v, want %s", connectortest.Outcome(err), receipt.Status, receipt.Answer, err, text)
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
	_, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"recipient":"ada@example.com","cc":["gone@example.com"],"text":"x"}`))
	if err == nil || err.Error() != "550 5.1.1 no such user (recipient gone@example.com)" || len(s.Messages()) != 0 {
		t.Errorf("got %v and %d messages", err, len(s.Messages()))
	}
}

// Promise: T12.
func TestEmail_cannotBeSent(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	many := strings.TrimSuffix(strings.Repeat(`"a@example.com",`, 101), ",")
	c := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t))
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
		_, err := c.Deliver(t.Context(), connectortest.Delivery(output))
		if connectortest.Outcome(err) != "permanent" || err.Error() != want {
			t.Errorf("%s: got %v, want %s", output, err, want)
		}
	}
	if n := len(s.Messages()); n > 0 {
		t.Errorf("%d messages arrived", n)
	}
}

// What people type into a form's e-mail field is no reason to lose the mail.
func TestEmail_badReplyTo(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	receipt, err := mustMail(t, mailSettings(t, s, ""), connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"recipient":"a@x.example","reply_to":"not an address","text":"x"}`))
	if err != nil || !strings.HasPrefix(string(receipt.Answer), `reply_to: "not an address" is no address: it is not an address like ada@example.com, and was left out`+"\n") {
		t.Errorf("got %q, %v", receipt.Answer, err)
	}
	if m := mustDecode(t, s.Messages()[0].Raw); m.Header["Reply-To"] != "" {
		t.Errorf("got %q", m.Header["Reply-To"])
	}
}
