package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/internal/diag"
)

func newConnectors(s *session) *cobra.Command {
	return group("connectors", groupStart, "See which tools there are connectors for, and how to use one",
		newConnectorsList(s), newConnectorsShow(s))
}

func newConnectorsList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the connectors, those of your own recipes among them",
		Example: `  hookgate connectors list`,
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			kinds, err := s.kinds()
			if err != nil {
				return err
			}
			if s.json {
				items := make([]connectorJSON, len(kinds))
				for i := range kinds {
					items[i] = connectorOf(&kinds[i])
				}
				return s.printJSON(map[string]any{"items": items})
			}
			s.printConnectors(kinds)
			return nil
		},
	}
}

func newConnectorsShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show TYPE", Short: "Show a connector's settings, actions and limits, and an example",
		Example:           `  hookgate connectors show slack`,
		Args:              exactly("the type of a connector"),
		ValidArgsFunction: completeTypes,
		RunE: func(_ *cobra.Command, args []string) error {
			kinds, err := s.kinds()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(kinds, func(k connectors.Kind) bool { return k.Name == args[0] })
			if i < 0 {
				hint := diag.DidYouMean(args[0], typesOf(kinds))
				if hint == "" {
					hint = "hookgate connectors list shows them; webhook reaches any tool that has an HTTP API"
				}
				return &failure{code: exitNotFound, err: fmt.Errorf("there is no connector %q", args[0]), hint: hint}
			}
			if s.json {
				return s.printJSON(detailsOf(&kinds[i]))
			}
			s.printConnector(&kinds[i])
			return nil
		},
	}
}

func completeTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return all.Catalog().Names(), cobra.ShellCompDirectiveNoFileComp
}

func typesOf(kinds []connectors.Kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

// kinds are the kinds of connections that there are. Those of recipes are
// among them where there is a config; its other faults are no matter here.
func (s *session) kinds() ([]connectors.Kind, error) {
	path, err := s.findConfig()
	if err != nil {
		if s.file == "" {
			return all.Kinds(), nil
		}
		return nil, err
	}
	doc, found := config.Load(path, s.env)
	if doc == nil {
		if s.file != "" && len(found.Files) == 0 {
			return nil, s.configFailure(found)
		}
		return all.Kinds(), nil
	}
	report := &config.Report{Files: found.Files}
	catalog := app.Kinds(doc, report)
	if report.List.Count(diag.Error) > 0 {
		return nil, s.configFailure(report)
	}
	return catalog.All(), nil
}

// connectorJSON is a connector as --json prints it.
type connectorJSON struct {
	Type     string        `json:"type"`
	Doc      string        `json:"doc"`
	Own      bool          `json:"own"` // of a recipe that the config names
	Actions  []actionJSON  `json:"actions"`
	Link     string        `json:"link,omitempty"`
	Verified string        `json:"verified,omitempty"`
	Rate     string        `json:"rate_limit,omitempty"`
	Test     string        `json:"test,omitempty"` // what connections test does
	Settings []settingJSON `json:"settings,omitempty"`
	Example  string        `json:"example,omitempty"`
}

type actionJSON struct {
	Name      string        `json:"name,omitempty"` // none: the inputs stand in the action itself
	Doc       string        `json:"doc,omitempty"`
	Shorthand string        `json:"shorthand,omitempty"`
	Direct    bool          `json:"direct,omitempty"`
	Inputs    []settingJSON `json:"inputs,omitempty"`
	Outputs   []string      `json:"outputs,omitempty"`
}

type settingJSON struct {
	Name     string        `json:"name"`
	Doc      string        `json:"doc"`
	Type     string        `json:"type,omitempty"`
	Required bool          `json:"required,omitempty"`
	Secret   bool          `json:"secret,omitempty"`
	Default  string        `json:"default,omitempty"`
	Values   []string      `json:"values,omitempty"`
	Example  string        `json:"example,omitempty"`
	Max      int           `json:"max,omitempty"`
	Keys     []settingJSON `json:"keys,omitempty"`
}

func connectorOf(k *connectors.Kind) connectorJSON {
	out := connectorJSON{Type: k.Name, Doc: k.Doc, Own: k.Hash != "", Actions: []actionJSON{}}
	for _, a := range k.Actions {
		out.Actions = append(out.Actions, actionJSON{Name: a.Name, Doc: a.Doc})
	}
	return out
}

func detailsOf(k *connectors.Kind) connectorJSON {
	out := connectorOf(k)
	out.Link, out.Verified, out.Rate, out.Test, out.Example = k.Link, k.Verified, k.RateLimit.String(), k.Test, k.Example
	for i := range k.Settings {
		out.Settings = append(out.Settings, settingOf(&k.Settings[i], 0))
	}
	for i, a := range k.Actions {
		at := &out.Actions[i]
		at.Shorthand, at.Direct, at.Outputs = a.Shorthand, a.Direct, a.Outputs
		for _, in := range a.Inputs {
			at.Inputs = append(at.Inputs, settingOf(&in.Setting, in.Max))
		}
	}
	if len(k.Actions) == 0 {
		out.Actions = append(out.Actions, actionJSON{Inputs: plainInputs(k)})
	}
	return out
}

// plainInputs are the inputs of a kind that has one action only.
func plainInputs(k *connectors.Kind) []settingJSON {
	var list []settingJSON
	for _, in := range k.Action.Inputs {
		list = append(list, settingJSON{Name: in.Name, Doc: in.Doc, Required: in.Required})
	}
	return list
}

func settingOf(s *connectors.Setting, limit int) settingJSON {
	out := settingJSON{
		Name: s.Name, Doc: s.Doc, Type: string(s.Type), Required: s.Required, Secret: s.Secret,
		Default: s.Default, Values: s.Values, Example: s.Example, Max: limit,
	}
	for i := range s.Fields {
		out.Keys = append(out.Keys, settingOf(&s.Fields[i], 0))
	}
	return out
}

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
