// Package term writes for people: colour where the terminal has it, tables,
// and text from outside made harmless. Styled text is always written as such;
// the Screen takes the colour out where it does not belong.
package term

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// DefaultWidth is the width in columns where there is no terminal to ask.
const DefaultWidth = 80

// Screen is one output stream. Failures of writing are not reported: there is
// nobody left to report them to.
type Screen struct {
	Styles

	writer *colorprofile.Writer
	width  int
	tty    bool
}

// New makes a Screen of w; env looks up a variable of the environment. There is
// no colour where w is no terminal, with TERM=dumb, with any NO_COLOR that is
// not empty (no-color.org), and with noColor; CLICOLOR_FORCE=1 gives it
// without a terminal too.
func New(w io.Writer, env func(name string) (string, bool), noColor bool) *Screen {
	var pairs []string
	for _, name := range []string{"TERM", "COLORTERM", "CLICOLOR", "CLICOLOR_FORCE"} {
		if value, ok := env(name); ok {
			pairs = append(pairs, name+"="+value)
		}
	}
	if value, _ := env("NO_COLOR"); value != "" {
		noColor = true
	}
	s := &Screen{Styles: newStyles(), writer: colorprofile.NewWriter(w, pairs), width: DefaultWidth}
	if file, ok := w.(term.File); ok && term.IsTerminal(file.Fd()) {
		s.tty = true
		if width, _, err := term.GetSize(file.Fd()); err == nil && width > 0 {
			s.width = width
		}
	}
	if noColor {
		s.writer.Profile = colorprofile.NoTTY
	}
	return s
}

// TTY reports whether a person is looking at it through a terminal.
func (s *Screen) TTY() bool { return s.tty }

// Color reports whether colour gets through.
func (s *Screen) Color() bool { return s.writer.Profile > colorprofile.ASCII }

// Width is the terminal's width in columns, DefaultWidth where there is none.
func (s *Screen) Width() int { return s.width }

// Write implements io.Writer; escape sequences that the output can't show are dropped.
func (s *Screen) Write(p []byte) (int, error) { return s.writer.Write(p) }

// Printf writes formatted text.
func (s *Screen) Printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s, format, args...)
}

// Println writes a line of text.
func (s *Screen) Println(parts ...string) {
	_, _ = io.WriteString(s, strings.Join(parts, " ")+"\n")
}
