package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// helloName is what we call ourselves to mail servers: the machine's name if
// it is a whole one, which others may look up, else its address.
func helloName() string {
	name, err := os.Hostname()
	if err != nil || !strings.Contains(name, ".") || !isASCII(name) || strings.ContainsFunc(name, breaksLine) {
		return "[127.0.0.1]"
	}
	return name
}

// dialogue is one conversation with a mail server. at is what it is about, for
// the error: the server's words alone do not say who was refused.
type dialogue struct {
	*smtp.Client
	at string
}

// smtpRefusal is an answer of the server that is no success.
type smtpRefusal struct {
	said *textproto.Error
	at   string // what it is about; "" is the message as a whole
}

func (r *smtpRefusal) Error() string {
	text := strconv.Itoa(r.said.Code)
	if words := connectors.Excerpt(r.said.Msg); words != "" {
		text += " " + words
	}
	if r.at != "" {
		text += " (" + r.at + ")"
	}
	return text
}

func (r *smtpRefusal) Unwrap() error { return r.said }

// smtpConn bounds what a server can make us read in one attempt.
type smtpConn struct {
	net.Conn
	left int
}

var errEndless = errors.New("the server's answers do not end")

// Read implements net.Conn.
func (c *smtpConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errEndless
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// send has one conversation about l. ctx ends it at any point.
func (e *connector) send(ctx context.Context, l *letter) (event.Receipt, error) {
	defer l.close()
	receipt, err := e.converse(ctx, func(d *dialogue) (event.Receipt, error) { return d.post(l) })
	receipt.Answer = append([]byte(l.note), receipt.Answer...)
	return receipt, err
}

// converse signs in and lets say go on. ctx ends it at any point.
func (e *connector) converse(ctx context.Context, say func(*dialogue) (event.Receipt, error)) (event.Receipt, error) {
	raw, err := e.deps.Egress.DialContext(ctx, "tcp", e.settings.address())
	if err != nil {
		return event.Receipt{}, err
	}
	defer func() { _ = raw.Close() }()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	var conn net.Conn = &smtpConn{Conn: raw, left: connectors.MaxReadAnswer}
	if e.settings.tls == tlsImplicit {
		secure := tls.Client(conn, e.settings.config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return event.Receipt{}, err
		}
		conn = secure
	}
	d := &dialogue{}
	receipt := event.Receipt{}
	if err = d.begin(conn, e); err == nil {
		receipt, err = say(d)
	}
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		receipt.Status = said.Code
		receipt.Answer = append(receipt.Answer, said.Msg...)
		err = &smtpRefusal{said: said, at: d.at}
	}
	return receipt, err
}

// begin greets, encrypts and signs in.
func (d *dialogue) begin(conn net.Conn, e *connector) error {
	var err error
	if d.Client, err = smtp.NewClient(conn, e.settings.host); err != nil {
		return err
	}
	if err := d.Hello(e.hello); err != nil {
		return err
	}
	if err := d.encrypt(&e.settings); err != nil {
		return err
	}
	return d.signIn(&e.settings)
}

// post goes through the rest of the conversation.
func (d *dialogue) post(l *letter) (event.Receipt, error) {
	if err := d.envelope(l); err != nil {
		return event.Receipt{}, err
	}
	d.at = ""
	w, err := d.Data()
	if err != nil {
		return event.Receipt{}, err
	}
	if _, err := l.msg.WriteTo(w); err != nil {
		return event.Receipt{}, err // without the final dot the server takes nothing
	}
	if err := w.Close(); err != nil {
		return event.Receipt{}, err
	}
	receipt := event.Receipt{Status: smtpOK}
	if data, ok := w.(interface{ ServerResponse() string }); ok {
		receipt.Answer = []byte(data.ServerResponse())
	}
	_ = d.Quit() // it has the message: what is said now changes nothing
	return receipt, nil
}

const smtpOK = 250

var errNoStartTLS = errors.New("the server does not offer STARTTLS: nothing was sent, for it could be read on the way")

func (d *dialogue) encrypt(s *settings) error {
	if s.tls != tlsStart {
		return nil
	}
	if offered, _ := d.Extension("STARTTLS"); !offered {
		return connectors.Permanent(errNoStartTLS)
	}
	return d.StartTLS(s.config)
}

// signIn uses the best of the ways that the server offers: where the
// connection is encrypted, the plainest; else one that hides the password.
func (d *dialogue) signIn(s *settings) error {
	if s.user == "" {
		return nil
	}
	d.at = "signing in as " + s.user
	_, offered := d.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	order := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	if s.tls == tlsNone {
		order = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	for _, way := range order {
		if slices.Contains(ways, way) {
			return d.Auth(smtpAuth(way, s))
		}
	}
	if len(ways) == 0 {
		return connectors.Permanent(errors.New("the server does not offer to sign in: leave user and password out, or try another port"))
	}
	return connectors.Permanent(fmt.Errorf("the server offers no way to sign in that is known here, but %s", connectors.Excerpt(strings.Join(ways, ", "))))
}

func smtpAuth(way string, s *settings) smtp.Auth {
	plain := s.tls == tlsNone // the operator's word: check warns of it
	switch way {
	case "LOGIN":
		return smtp.LoginAuth(s.user, s.password, s.host, plain)
	case "SCRAM-SHA-256":
		return smtp.ScramSHA256Auth(s.user, s.password)
	case "SCRAM-SHA-1":
		return smtp.ScramSHA1Auth(s.user, s.password)
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(s.user, s.password)
	}
	return smtp.PlainAuth("", s.user, s.password, s.host, plain)
}

// envelope names the sender and all recipients. One that is refused ends it:
// a message that reached some of them could not be sent again to the others.
func (d *dialogue) envelope(l *letter) error {
	utf8 := l.needsUTF8()
	if offered, _ := d.Extension("SMTPUTF8"); utf8 != "" && !offered {
		return connectors.Permanent(fmt.Errorf("the server cannot take the address %s: it does not offer SMTPUTF8", utf8))
	}
	d.SkipSMTPUTF8(utf8 == "")
	d.at = "sender " + l.from
	if err := d.Mail("<" + l.from + ">"); err != nil {
		return err
	}
	for _, recipient := range l.recipients {
		d.at = "recipient " + recipient
		if err := d.Rcpt("<" + recipient + ">"); err != nil {
			return err
		}
	}
	return nil
}

// sendError turns what ended a conversation into the error that Deliver
// returns: 4yz is worth another try, 5yz is not (RFC 5321, section 4.2.1).
func (e *connector) sendError(parent, ctx context.Context, err error) error {
	if connectors.IsPermanent(err) {
		return err
	}
	refusal, spoken := errors.AsType[*smtpRefusal](err)
	var protocol textproto.ProtocolError
	var attachment *attachmentError
	var record tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
	case spoken:
		said := errors.New(e.secrets.Text(refusal.Error()))
		if refusal.said.Code/100 == 5 {
			return connectors.Permanent(said)
		}
		return said
	case errors.As(err, &attachment):
		return attachment
	case errors.Is(err, errEndless):
		return connectors.NetworkError(errEndless.Error(), nil)
	case errors.As(err, &protocol):
		return connectors.NetworkError("the answer is not SMTP", nil)
	case errors.As(err, &record):
		return connectors.NetworkError("TLS: the server does not speak it on this port: is it starttls, or port 465?", nil)
	case errors.Is(err, io.EOF):
		return connectors.NetworkError("connection closed before the answer was complete", io.ErrUnexpectedEOF)
	}
	return connectors.AttemptError(parent, ctx, err, e.deps.Timeout)
}
