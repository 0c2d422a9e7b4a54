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
	line, err := bufio.NewReader(s.stdin).ReadString('\n')
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
