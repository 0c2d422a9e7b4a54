package cli

import "strconv"

// width is how many columns stdout has: COLUMNS of the environment, else the
// terminal's; 0 where there is no terminal.
func (s *session) width() int {
	const least = 40
	if text, ok := s.env("COLUMNS"); ok {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return max(n, least)
		}
	}
	if s.out.TTY() {
		return max(s.out.Width(), least)
	}
	return 0
}
