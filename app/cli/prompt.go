package cli

import (
	"bufio"
	"errors"
	"strings"
)

// confirm asks a question and reports whether the answer is yes. With --yes it
// does not ask; where nobody can be asked it is a wrong usage.
func (s *session) confirm(question string) (bool, error) {
	if s.yes {
		return true, nil
	}
	if !s.interactive() {
		return false, usageError("", errors.New("there is no terminal to ask on: add --yes, or --dry-run to see what it is about"))
	}
	s.msg.Printf("%s [y/N] ", question)
	line, err := s.line()
	if err != nil { // closed: the answer is no
		s.msg.Println()
		return false, nil //nolint:nilerr // the end of input is an answer, not a fault
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// line reads one line of what a person types.
func (s *session) line() (string, error) {
	if s.typed == nil {
		s.typed = bufio.NewReader(s.stdin)
	}
	line, err := s.typed.ReadString('\n')
	return strings.TrimSpace(line), err
}

// ask asks a person for a text until wrong has nothing to say against it. An
// empty answer is the usual one.
func (s *session) ask(question, usual string, wrong func(string) string) (string, error) {
	for {
		if s.msg.Printf("%s: ", question); usual != "" {
			s.msg.Printf("[%s] ", usual)
		}
		line, err := s.line()
		if err != nil {
			s.msg.Println()
			return "", &failure{code: exitInterrupted, err: errors.New("no more answers: nothing was changed")}
		}
		if line == "" {
			line = usual
		}
		message := wrong(line)
		if message == "" {
			return line, nil
		}
		s.msg.Println("  " + message)
	}
}
