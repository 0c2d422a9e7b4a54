// Package fakesmtp is a mail server for tests: a real one (go-smtp) that keeps
// what it gets and refuses what a test wants refused.
package fakesmtp

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The account that may sign in.
const (
	User     = "hello@agency.example"
	Password = "canary-smtp-password-0011"
)

// Options are how a Server behaves. The zero value takes everything, after
// STARTTLS and signing in.
type Options struct {
	Implicit bool // TLS from the first byte, instead of STARTTLS
	NoTLS    bool // neither
	NoAuth   bool // takes mail without signing in, and does not offer it
	UTF8     bool // offers SMTPUTF8
	// Mechanisms are the offered ways to sign in: PLAIN and LOGIN by default.
	Mechanisms []string
	// Refuse gives the answer at a stage, nil to go on. The stages are auth,
	// mail, rcpt and data; about is the user or the address.
	Refuse func(stage, about string) error
	// MaxSize is the largest message; 0: 64 MB.
	MaxSize int64
}

// Refusal is an answer of the server: a code, an enhanced code, and words.
func Refusal(code int, enhanced [3]int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: words}
}

// Message is one that arrived.
type Message struct {
	From string
	To   []string
	TLS  bool
	User string // who had signed in
	Raw  string
}

// Parsed is the message with its headers read.
func (m Message) Parsed() (*mail.Message, error) {
	return mail.ReadMessage(strings.NewReader(m.Raw))
}

// Server is a running mail server.
type Server struct {
	Addr string // host:port
	CA   []byte // the certificate that its own is signed by, in PEM form

	opt      Options
	server   *smtp.Server
	done     chan struct{}
	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed and replaced with every message
}

// Start runs a server at a free port of this machine.
func Start(opt Options) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: listener.Addr().String(), opt: opt, done: make(chan struct{}), arrived: make(chan struct{})}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	s.server.Domain = "mail.fake.example"
	s.server.AllowInsecureAuth = opt.NoTLS
	s.server.EnableSMTPUTF8 = opt.UTF8
	s.server.MaxMessageBytes = 64 << 20
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.server.ReadTimeout, s.server.WriteTimeout = time.Minute, time.Minute
	if opt.MaxSize > 0 {
		s.server.MaxMessageBytes = opt.MaxSize
	}
	if !opt.NoTLS {
		config := s.certificate()
		if opt.Implicit {
			listener = tls.NewListener(listener, config)
		} else {
			s.server.TLSConfig = config
		}
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener)
	}()
	return s, nil
}

// certificate is the standard library's own for tests: it is good for
// 127.0.0.1 and example.com.
func (s *Server) certificate() *tls.Config {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	return &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

// Close ends the server and all connections.
func (s *Server) Close() {
	_ = s.server.Close()
	<-s.done
}

// Messages are those that arrived.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Wait gives the messages once there are n of them, or those there are after
// the time given.
func (s *Server) Wait(n int, atMost time.Duration) []Message {
	deadline := time.After(atMost)
	for {
		s.mu.Lock()
		enough, arrived := len(s.messages) >= n, s.arrived
		s.mu.Unlock()
		if enough {
			return s.Messages()
		}
		select {
		case <-arrived:
		case <-deadline:
			return s.Messages()
		}
	}
}

func (s *Server) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

func (s *Server) refuse(stage, about string) error {
	if s.opt.Refuse == nil {
		return nil
	}
	return s.opt.Refuse(stage, about)
}

// session is one connection.
type session struct {
	server *Server
	conn   *smtp.Conn
	now    Message
	user   string
}

var errLogin = errors.New("wrong user or password")

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	switch {
	case s.server.opt.NoAuth:
		return nil
	case s.server.opt.Mechanisms != nil:
		return s.server.opt.Mechanisms
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := s.server.refuse("auth", user); err != nil {
			return err
		}
		if user != User || password != Password {
			return Refusal(535, [3]int{5, 7, 8}, errLogin.Error()+" for "+user+" with "+password)
		}
		s.user = user
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &login{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.server.opt.NoAuth && s.user == "" {
		return smtp.ErrAuthRequired
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.now = Message{From: from, TLS: encrypted, User: s.user}
	return s.server.refuse("mail", from)
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.To = append(s.now.To, to)
	return s.server.refuse("rcpt", to)
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.server.refuse("data", s.now.From); err != nil {
		return err
	}
	s.now.Raw = string(raw)
	s.server.keep(s.now)
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.now = Message{} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// login is the old mechanism LOGIN, which asks for the two one by one.
type login struct {
	check func(user, password string) error
	asked int
	user  string
}

// Next implements sasl.Server.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}
