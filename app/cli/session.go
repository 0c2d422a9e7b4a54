package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	xterm "github.com/charmbracelet/x/term"

	"hookgate/app/cli/term"
	"hookgate/app/config"
)

// session is one call of the command line: its streams and its global flags.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	failed         func() error // why stdout could not be written to
	env            config.LookupFunc
	now            func() time.Time

	typed *bufio.Reader // stdin, once somebody was asked

	out *term.Screen // stdout for people
	msg *term.Screen // stderr for people

	file    string // the config's path, as given
	json    bool
	quiet   bool
	verbose bool
	noColor bool
	yes     bool
}

// prepare makes the screens; again after the flags are known.
func (s *session) prepare() {
	s.out = term.New(s.stdout, s.env, s.noColor)
	s.msg = term.New(s.stderr, s.env, s.noColor)
}

// interactive reports whether a person can be asked: both the questions and
// the answers go through a terminal.
func (s *session) interactive() bool {
	in, ok := s.stdin.(xterm.File)
	return ok && xterm.IsTerminal(in.Fd()) && s.msg.TTY()
}

// note writes a message for people to stderr, unless --quiet was given.
func (s *session) note(format string, args ...any) {
	if !s.quiet {
		s.msg.Printf(format+"\n", args...)
	}
}

// data is stdout for data, which may hold what strangers wrote: on a terminal
// that is made harmless.
func (s *session) data(asJSON bool) io.Writer {
	if s.out.TTY() {
		return term.NewHarmless(s.stdout, asJSON)
	}
	return s.stdout
}

// printJSON writes v to stdout as indented JSON.
func (s *session) printJSON(v any) error {
	e := json.NewEncoder(s.data(true))
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// report writes why a command failed to stderr; also with --quiet.
func (s *session) report(f *failure) {
	if f.err == nil {
		return
	}
	s.msg.Printf("%s %s\n", s.msg.Bad.Render("hookgate:"), term.CleanBlock(f.err.Error()))
	if f.hint != "" {
		s.msg.Printf("%s\n", term.Indent(f.hint, "  "))
	}
}
