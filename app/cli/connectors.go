package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/connectors"
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
	return connectors.NewCatalog().Names(), cobra.ShellCompDirectiveNoFileComp
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
			return connectors.Kinds(), nil
		}
		return nil, err
	}
	doc, found := config.Load(path, s.env)
	if doc == nil {
		if s.file != "" && len(found.Files) == 0 {
			return nil, s.configFailure(found)
		}
		return connectors.Kinds(), nil
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
