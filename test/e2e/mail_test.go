package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/fakesmtp"
	"hookgate/test/lab"
)

// mailForm is a form that tells sales of every lead, and replies to it.
func mailForm(t *testing.T, s *fakesmtp.Server) string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
forms:
  contact:
    fields:
      name:    { type: text, required: true }
      email:   { type: email }
      message: { type: text }
      consent: { type: checkbox }
    rate_limit: 1000/s
    autoreply:
      to: mail
      recipient: ${{ data.email }}
      reply_to: sales@agency.example
      subject: Thank you, ${{ data.name }}
      html: <p>Hello <b>${{ data.name }}</b>, we answer within a day.</p>
connections:
  mail:
    type: email
    from: Agency <hello@agency.example>
    smtp: { host: %s, port: %s, user: %s, password: %s, ca: %s }
    retry: { delays: [100ms, 100ms] }
rules:
  - name: new-lead
    from: contact
    then: [{ to: mail, recipient: sales@agency.example, reply_to: "${{ data.name }} <${{ data.email }}>" }]
`, host, port, fakesmtp.User, fakesmtp.Password, ca)
}

// mailText is the decoded text of a message's parts, one after the other.
func mailText(t *testing.T, m fakesmtp.Message) (subject, text string) {
	t.Helper()
	parsed, err := m.Parsed()
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		t.Fatal(kind, err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return subject, text
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = quotedprintable.NewReader(p)
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		text += strings.ReplaceAll(string(content), "\r\n", "\n") + "\n--\n"
	}
}

// byRecipient finds the messages to an address.
func byRecipient(list []fakesmtp.Message, address string) (found []fakesmtp.Message) {
	for _, m := range list {
		if m.To[0] == address {
			found = append(found, m)
		}
	}
	return found
}

func TestMail(t *testing.T) {
	t.Parallel()
	s, err := fakesmtp.Start(fakesmtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	g := lab.Start(t, mailForm(t, s))
	post := func(values url.Values) string {
		r := g.Do(http.MethodPost, "/f/contact", []byte(values.Encode()), "Content-Type", formType, "Accept", "application/json")
		if r.Status != http.StatusOK {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
		var answer struct{ ID string }
		if err := json.Unmarshal([]byte(r.Body), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.ID
	}
	ada := url.Values{"name": {"Ada <b>, CEO"}, "email": {"ada@example.com"}, "message": {"Hello,\r\nI am Ada"}, "consent": {"on"}}
	first := post(ada)
	all := s.Wait(2, lab.Patience)
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	lead, reply := byRecipient(all, "sales@agency.example"), byRecipient(all, "ada@example.com")
	if len(lead) != 1 || len(reply) != 1 || !lead[0].TLS || lead[0].User != fakesmtp.User {
		t.Fatalf("got %+v", all)
	}
	subject, text := mailText(t, lead[0])
	same(t, "the lead's subject", "New message (contact)", subject)
	has(t, "the lead", text, "Name:    Ada <b>, CEO\nEmail:   ada@example.com\nMessage:\n    Hello,\n    I am Ada\nConsent: yes", "Ada &lt;b&gt;, CEO</td>")
	subject, text = mailText(t, reply[0])
	same(t, "the reply's subject", "Thank you, Ada <b>, CEO", subject)
	has(t, "the reply", text, "Hello Ada <b>, CEO, we answer within a day.", "Hello <b>Ada &lt;b&gt;, CEO</b>")
	has(t, "the reply's headers", reply[0].Raw, "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Reply-To: <sales@agency.example>")
	has(t, "the lead's headers", lead[0].Raw, "Auto-Submitted: auto-generated", "<ada@example.com>")
	same(t, "deliveries", []string{"autoreply/mail", "new-lead/mail"}, names(g.Settled(first)))

	// A second reply on the same day is held back, also after a restart, and
	// however the address is written. The lead arrives.
	g.Kill()
	g.Start()
	ada.Set("email", "Ada+x@Example.com")
	second := g.Settled(post(ada))
	held := ofRule(t, second, "autoreply")
	if held.State != "cancelled" || held.Error != "Ada+x@Example.com was sent this form's reply within the last day" {
		t.Errorf("got %+v", held)
	}
	// Nor does a program get one, nor nobody, nor spam.
	daemon := ofRule(t, g.Settled(post(url.Values{"name": {"D"}, "email": {"MAILER-DAEMON@example.com"}})), "autoreply")
	if daemon.State != "cancelled" || !strings.HasPrefix(daemon.Error, "nobody reads mail at ") {
		t.Errorf("got %+v", daemon)
	}
	nobody := ofRule(t, g.Settled(post(url.Values{"name": {"N"}})), "autoreply")
	if nobody.State != "cancelled" || nobody.Error != "there is no address to reply to" {
		t.Errorf("got %+v", nobody)
	}
	post(url.Values{"name": {"Bot"}, "email": {"bot@example.com"}, "_gotcha": {"x"}})
	post(url.Values{"name": {"Eve"}, "email": {"eve@example.com"}})
	all = s.Wait(7, lab.Patience)
	if len(byRecipient(all, "sales@agency.example")) != 5 || len(byRecipient(all, "eve@example.com")) != 1 || len(all) != 7 {
		t.Errorf("%d messages: %d to sales", len(all), len(byRecipient(all, "sales@agency.example")))
	}
	has(t, "events show", g.MustCLI("events", "show", second.ID), "autoreply/mail", "cancelled", "was sent this form's reply within the last day")
	if log := g.Stderr(); strings.Contains(log, fakesmtp.Password) {
		t.Error("the password is in the log")
	}
}

func ofRule(t *testing.T, ev lab.Event, rule string) lab.Delivery {
	t.Helper()
	for _, d := range ev.Deliveries {
		if strings.HasPrefix(d.Name, rule+"/") {
			return d
		}
	}
	t.Fatalf("%s has no delivery of %s: %v", ev.ID, rule, names(ev))
	return lab.Delivery{}
}

// A file that came with a form goes on as an attachment.
func TestMail_attachment(t *testing.T) {
	t.Parallel()
	s, err := fakesmtp.Start(fakesmtp.Options{NoTLS: true, NoAuth: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	g := lab.Start(t, fmt.Sprintf(`
forms:
  contact:
    fields:
      name:  { type: text }
      brief: { type: file, accept: [txt, pdf] }
connections:
  mail: { type: email, from: a@agency.example, smtp: { host: %s, port: %s, tls: none } }
rules:
  - name: new-lead
    from: contact
    then: [{ to: mail, recipient: sales@agency.example, attachments: "${{ data.brief }}" }]
`, host, port))
	const content = "the brief, in plain words\n"
	body := "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"brief\"; filename=\"brief für Ada.txt\"\r\nContent-Type: text/plain\r\n\r\n" + content + "\r\n--b--\r\n"
	if r := g.Do(http.MethodPost, "/f/contact", []byte(body), "Content-Type", "multipart/form-data; boundary=b", "Accept", "application/json"); r.Status != http.StatusOK {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	all := s.Wait(1, lab.Patience)
	if len(all) != 1 {
		t.Fatal("no message arrived")
	}
	has(t, "the message", all[0].Raw, "Content-Type: text/plain", "attachment; filename=", base64.StdEncoding.EncodeToString([]byte(content)))
}
