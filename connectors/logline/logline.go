// Package logline writes what rules send into the log of hookgate itself: a
// destination that needs no account, for trying rules and for keeping an eye on
// some.
package logline

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

const noun = "an action to the log"

// Kind is the kind of connection that this package makes.
func Kind() connectors.Kind {
	k := connectors.Kind{
		Name:     "log",
		Doc:      "A line in hookgate's own log: needs no account.",
		Action:   action(),
		Settings: connectors.SettingsOf[settings](),
		New:      newConnector,
	}
	k.Example = connectors.ExampleOf(&k, "", "text: \"${{ event.type }} from ${{ event.source }}\"")
	return k
}

func action() lang.Action {
	return lang.Action{
		Noun: noun,
		Inputs: []lang.Input{
			{Name: "text", Doc: "What the line says.", Kind: lang.TextInput},
			{Name: "json", Doc: "Any value, written as JSON.", Kind: lang.ValueInput},
		},
		Check: func(n yamlnode.Node, given []yamlnode.Field) diag.List {
			_, hasText := connectors.Field(given, "text")
			_, hasJSON := connectors.Field(given, "json")
			if !hasText && !hasJSON {
				return diag.List{n.Diag("missing-key", "", "%s needs text or json", noun)}
			}
			return nil
		},
	}
}

type settings struct {
	Level yamlnode.Text `yaml:"level" doc:"How loud the line is." values:"info,warn,error" default:"info" example:"warn"`
}

type connector struct {
	logger *slog.Logger
	level  slog.Level
}

func newConnector(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	var s settings
	list := n.Decode("a log connection", &s, connectors.CommonKeys()...)
	c := connector{logger: deps.WithDefaults().Logger}
	if s.Level.Value != "" && !slices.Contains([]string{"info", "warn", "error"}, s.Level.Value) {
		list = append(list, s.Level.Diag("bad-value", "it can be info, warn, error", `"level" cannot be %q`, s.Level.Value))
	} else if s.Level.Value != "" {
		_ = c.level.UnmarshalText([]byte(s.Level.Value)) // one of the three
	}
	if list.Err() != nil {
		return nil, list
	}
	return c, list
}

// Deliver writes one line. Its answer is what was written.
func (c connector) Deliver(ctx context.Context, d event.Delivery) (event.Receipt, error) {
	var out struct {
		Text *string         `json:"text"`
		JSON json.RawMessage `json:"json"`
	}
	if err := json.Unmarshal(d.Output, &out); err != nil || out.Text == nil && out.JSON == nil {
		return event.Receipt{}, connectors.Permanent(errors.New("the stored output is not that of an action to a log"))
	}
	attributes := []slog.Attr{slog.String("rule", d.Rule), slog.String("connection", d.Connection), slog.String("delivery", d.ID.String())}
	answer := string(out.JSON)
	if out.JSON != nil {
		attributes = append(attributes, slog.String("json", answer))
	}
	if out.Text != nil {
		attributes, answer = append(attributes, slog.String("text", *out.Text)), *out.Text
	}
	c.logger.LogAttrs(ctx, c.level, "a rule says", attributes...)
	return event.Receipt{Answer: []byte(answer[:min(len(answer), connectors.MaxAnswer)])}, nil
}

// TestInfo implements connectors.Tester.
func (c connector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "writes a line that says that it is a test"}
}

// Test writes such a line.
func (c connector) Test(ctx context.Context, id event.DeliveryID) (connectors.TestResult, error) {
	receipt, err := c.Deliver(ctx, event.Delivery{ID: id, Rule: "test", Output: []byte(`{"text":"This is a test of the connection. Nothing has happened."}`)})
	return connectors.TestResult{Receipt: receipt, Said: "it is in the log"}, err
}
