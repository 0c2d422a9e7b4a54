package cli

import (
	"fmt"
	"strings"

	"hookgate/app/cli/term"
	"hookgate/connectors"
)

// narrowest is the width below which texts are not broken any further.
const narrowest = 30

// printConnectors prints the table of `connectors list`.
func (s *session) printConnectors(kinds []connectors.Kind) {
	column := term.Width("TYPE")
	for _, k := range kinds {
		column = max(column, term.Width(k.Name))
	}
	rest := max(narrowest, s.out.Width()-column-2)
	line := func(name, text string) {
		s.out.Println(strings.TrimRight(term.Pad(name, column)+"  "+text, " "))
	}
	s.out.Println(s.out.Strong.Render(term.Pad("TYPE", column) + "  WHAT IT DOES, AND ITS ACTIONS"))
	for _, k := range kinds {
		name := s.out.Name.Render(term.Clean(k.Name))
		doc := term.Clean(k.Doc)
		if k.Hash != "" {
			doc += " (your own recipe)"
		}
		for _, text := range term.Wrap(doc, rest) {
			line(name, text)
			name = ""
		}
		var actions []string
		for _, a := range k.Actions {
			actions = append(actions, a.Name)
		}
		if len(actions) > 0 {
			for _, text := range term.Wrap("· "+strings.Join(actions, ", "), rest) {
				line("", s.out.Dim.Render(text))
			}
		}
	}
	s.note("hookgate connectors show TYPE tells its settings and actions, with an example.")
}

// printConnector prints all of one connector.
func (s *session) printConnector(k *connectors.Kind) {
	s.out.Println(s.out.Strong.Render(k.Name))
	s.wrapped("  ", k.Doc)
	if k.Link != "" {
		s.out.Println("  " + k.Link)
	}
	if k.Verified != "" {
		s.wrapped("  ", "Facts: "+k.Verified)
	}
	if rate := k.RateLimit.String(); rate != "" {
		s.wrapped("  ", "Sends at most "+rate+", unless the connection sets rate_limit.")
	}
	if k.Test != "" {
		s.wrapped("  ", "hookgate connections test NAME "+k.Test+".")
	}
	details := detailsOf(k)
	s.out.Println()
	s.out.Println(s.out.Strong.Render("Settings"))
	s.printKeys("  ", details.Settings)
	s.out.Println()
	heading := "Actions"
	if len(k.Actions) == 0 {
		heading = "In an action"
	}
	s.out.Println(s.out.Strong.Render(heading))
	for _, a := range details.Actions {
		indent := "  "
		if a.Name != "" {
			s.out.Println("  " + s.out.Name.Render(a.Name))
			s.wrapped("    ", a.Doc)
			indent = "    "
		}
		if a.Direct {
			s.wrapped(indent, "Its inputs may stand without its name.")
		}
		s.printKeys(indent, a.Inputs)
		if len(a.Outputs) > 0 {
			s.wrapped(indent, "Read from the answer: "+strings.Join(a.Outputs, ", ")+".")
		}
	}
	s.out.Println()
	s.out.Println(s.out.Strong.Render("Example"))
	s.out.Println(term.Indent(strings.TrimRight(k.Example, "\n"), "  "))
}

// wrapped prints a text in as many lines as it needs.
func (s *session) wrapped(indent, text string) {
	for _, line := range term.Wrap(term.Clean(text), max(narrowest, s.out.Width()-len(indent))) {
		s.out.Println(indent + line)
	}
}

// printKeys prints settings or inputs: their names, and what they mean.
func (s *session) printKeys(indent string, keys []settingJSON) {
	column := 0
	for _, k := range keys {
		column = max(column, term.Width(k.Name))
	}
	rest := max(narrowest, s.out.Width()-len(indent)-column-2)
	for _, k := range keys {
		name := s.out.Name.Render(term.Clean(k.Name)) + strings.Repeat(" ", column-term.Width(k.Name))
		for _, line := range term.Wrap(k.meaning(), rest) {
			s.out.Println(indent + name + "  " + line)
			name = strings.Repeat(" ", column)
		}
		s.printKeys(indent+strings.Repeat(" ", 2), k.Keys)
	}
}

// meaning is what a setting or input is, in a sentence or two.
func (k *settingJSON) meaning() string {
	text := k.Doc
	if len(k.Values) > 0 {
		text += " One of " + strings.Join(k.Values, ", ") + "."
	}
	if k.Max > 0 {
		text += fmt.Sprintf(" At most %d.", k.Max)
	}
	switch {
	case k.Required && k.Secret:
		text += " Needed; a secret."
	case k.Required:
		text += " Needed."
	case k.Default != "":
		text += " " + k.Default + " unless set."
	case k.Secret:
		text += " A secret."
	}
	return text
}
