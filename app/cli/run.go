// Package cli is hookgate's command line. Data goes to stdout, messages and
// progress to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"hookgate/app/config"
)

// The exit statuses, a promise to scripts.
const (
	exitOK          = 0
	exitFailed      = 1 // it ran, but something failed
	exitUsage       = 2 // wrong usage
	exitConfig      = 3 // the config is invalid
	exitUnreachable = 4 // no server answers, or it refuses the login
	exitNotFound    = 5
	exitInterrupted = 130
)

// Run runs the command that args (without the program's name) ask for and
// returns the exit status. A cancelled ctx interrupts it; `serve` and `demo`
// also obey the process's signals while they run.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	s := &session{stdin: stdin, stdout: out, stderr: stderr, env: config.LookupEnv, now: now}
	if file, ok := stdout.(xterm.File); ok {
		s.stdout = terminalOutput{out, file}
	}
	s.failed = out.failed
	s.prepare()
	root := newRoot(s)                        //nolint:contextcheck // the commands get theirs from ExecuteContext
	root.SetArgs(append([]string{}, args...)) // never nil: cobra would take the process's own
	err := root.ExecuteContext(ctx)
	if lost := s.failed(); lost != nil {
		err = &failure{code: exitFailed, err: fmt.Errorf("the output cannot be written: %w", lost)}
	}
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) { // all our own errors are failures: this one is cobra's
		f = &failure{code: exitUsage, err: err}
	}
	s.report(f)
	return f.code
}

// Command is the whole command line, for those who describe it.
func Command() *cobra.Command {
	s := &session{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, env: config.LookupEnv, now: time.Now}
	s.failed = func() error { return nil }
	s.prepare()
	return newRoot(s)
}

// failure is an error with its exit status. A nil err means that what there is
// to say has been said.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string {
	if f.err == nil {
		return "failed"
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usageError is a failure for a wrong call.
func usageError(hint string, err error) *failure {
	return &failure{code: exitUsage, err: err, hint: hint}
}
