package term

import "charm.land/lipgloss/v2"

// Styles are the few ways in which a text can stand out. None carries meaning
// by itself: a word or sign always says the same.
type Styles struct {
	Strong lipgloss.Style // what the eye should find first
	Dim    lipgloss.Style // what can be skipped
	Good   lipgloss.Style
	Bad    lipgloss.Style
	Warn   lipgloss.Style
	Name   lipgloss.Style // names of rules, sources, connections
}

func newStyles() Styles {
	plain := lipgloss.NewStyle().Inline(true)
	return Styles{
		Strong: plain.Bold(true),
		Dim:    plain.Faint(true),
		Good:   plain.Foreground(lipgloss.Green),
		Bad:    plain.Foreground(lipgloss.Red),
		Warn:   plain.Foreground(lipgloss.Yellow),
		Name:   plain.Foreground(lipgloss.Cyan),
	}
}
