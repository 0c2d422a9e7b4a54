// Package mcp lets an assistant that speaks the Model Context Protocol write
// rules that prove themselves: it sees what the configuration can hold, what
// came in, and what a change would have made of it. Nothing is sent or changed.
//
// Each tool is a command of hookgate's with --json, so that an assistant reads
// what a person reads.
package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Commands runs a command of hookgate's; args are without the program's name.
type Commands func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int)

// Options are what the server is made of.
type Options struct {
	Version  string
	Run      Commands
	Config   func() (string, error) // the path of the configuration
	Payloads bool                   // personal data in values is shown
}

// instructions tell an assistant how to go about it.
const instructions = `hookgate routes website events and form posts to other tools by rules in config.yaml.
To write a rule: read config_schema for "rules" and "tests" and fields of the source, look at real events
(events_search, event_explain), write the rule and a test for it into the whole text of config.yaml, then
check that text, test it, and show with replay_diff what it would have made of the last weeks. Give the
person the text: nothing here changes the configuration or sends anything.`

// Serve answers an assistant on the given streams until it hangs up.
func Serve(ctx context.Context, o Options, in io.ReadCloser, out io.WriteCloser) error {
	return server(o).Run(ctx, &sdk.IOTransport{Reader: in, Writer: out})
}

func server(o Options) *sdk.Server {
	s := sdk.NewServer(&sdk.Implementation{Name: "hookgate", Version: o.Version}, &sdk.ServerOptions{Instructions: instructions})
	add(s, o, "config_schema", "What config.yaml can hold, as JSON Schema: of one section, or without one the list of sections.", configSchema)
	add(s, o, "connectors", "The tools that there are connectors for; with a name the settings, actions and limits of that one, and an example.", connectors)
	add(s, o, "fields", "The fields of a source's or a form's events: paths, types, how often they are there, examples.", fields)
	add(s, o, "events_search", "Stored events, the newest last. where is a condition of the rules' language, such as data.website.status == \"Done\".", eventsSearch)
	add(s, o, "event_explain", "What each rule makes of an event, part by part, and what would be sent. The event is a stored one (id), or json of a source.", eventExplain)
	add(s, o, "check", "Every fault in a config.yaml, with its place and remedy. Without a text, the one that is there.", check)
	add(s, o, "test", "Run the tests of a config.yaml, and say what no test exercises. Without a text, those of the one that is there.", runTests)
	add(s, o, "replay_diff", "What a changed config.yaml would have made of stored events, beside the rules in force: which would match or match no more.", replayDiff)
	add(s, o, "routes", "What goes where: source or form, rule, connection. Of a text, or of the config.yaml that is there.", routes)
	add(s, o, "deliveries_failed", "Deliveries that failed for good, and why.", deliveriesFailed)
	return s
}

// call is one call of a tool: what it needs to run commands.
type call struct {
	Options
	run runner
}

// runner runs a command with --json and decodes what it printed.
type runner func(stdin string, args ...string) (any, error)

// add registers a tool. What it returns is what a command printed, as JSON.
func add[In any](s *sdk.Server, o Options, name, description string, tool func(*call, In) (any, error)) {
	closed := false
	t := &sdk.Tool{
		Name: name, Description: description,
		Annotations: &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed},
	}
	sdk.AddTool(s, t, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
		value, err := tool(&call{Options: o, run: o.runner(ctx)}, in)
		if err != nil {
			return nil, nil, err // the SDK answers with it as the tool's error
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(value); err != nil {
			return nil, nil, err
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: strings.TrimSpace(text.String())}}}, nil, nil
	})
}

// runner runs commands until ctx ends. A command that found something wrong has
// printed what; one that printed nothing has failed.
func (o Options) runner(ctx context.Context) runner {
	return func(stdin string, args ...string) (any, error) {
		var stdout, stderr bytes.Buffer
		status := o.Run(ctx, append([]string{"--json", "--no-color"}, args...), strings.NewReader(stdin), &stdout, &stderr)
		if len(bytes.TrimSpace(stdout.Bytes())) == 0 {
			if said := strings.TrimSpace(stderr.String()); said != "" || status != 0 {
				return nil, errors.New(strings.TrimPrefix(said, "hookgate: "))
			}
			return map[string]any{}, nil
		}
		decoder := json.NewDecoder(&stdout)
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("the output of hookgate %s cannot be read: %w", args[0], err)
		}
		return value, nil
	}
}

// private is run for what holds values of events.
func (c *call) private(stdin string, args ...string) (any, error) {
	value, err := c.run(stdin, args...)
	if err != nil || c.Payloads {
		return value, err
	}
	return mask(value), nil
}

// base are the arguments that name the configuration that is there.
func (c *call) base() ([]string, error) {
	path, err := c.Config()
	if err != nil {
		return nil, err
	}
	return []string{"-c", path}, nil
}

// with calls do with the path of the configuration: that of text, where there
// is one, in a folder in which everything else is what lies beside the one that
// is there, so that the files that it names are found.
func (c *call) with(text string, do func(path string) (any, error)) (any, error) {
	path, err := c.Config()
	if text == "" {
		if err != nil {
			return nil, err
		}
		return do(path)
	}
	dir, tempErr := os.MkdirTemp("", "hookgate-mcp-")
	if tempErr != nil {
		return nil, tempErr
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err == nil {
		if err := mirror(dir, path); err != nil {
			return nil, err
		}
	}
	changed := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return nil, err
	}
	value, err := do(changed)
	nameless := strings.NewReplacer(dir+string(filepath.Separator), "")
	if err != nil {
		return nil, errors.New(nameless.Replace(err.Error()))
	}
	return replaceIn(value, nameless), nil
}

// mirror links what lies beside a configuration into a folder.
func mirror(dir, path string) error {
	here, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(here)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(path) || e.Name() == "config.yaml" {
			continue
		}
		if err := os.Symlink(filepath.Join(here, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

type schemaIn struct {
	Section string `json:"section,omitempty" jsonschema:"the section: server, sources, forms, connections, rules, tests, storage, retention, outbound, recipes"`
}

func configSchema(c *call, in schemaIn) (any, error) {
	whole, err := c.run("", "schema")
	if err != nil {
		return nil, err
	}
	object, _ := whole.(map[string]any)
	sections, _ := object["properties"].(map[string]any)
	if in.Section == "" {
		list := map[string]any{}
		for name, section := range sections {
			about, _ := section.(map[string]any)
			list[name] = about["description"]
		}
		return map[string]any{"sections": list}, nil
	}
	section, found := sections[in.Section]
	if !found {
		var names []string
		for name := range sections {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, fmt.Errorf("there is no section %q; there are %s", in.Section, strings.Join(names, ", "))
	}
	return section, nil
}

type connectorsIn struct {
	Name string `json:"name,omitempty" jsonschema:"the connector, such as slack"`
}

func connectors(c *call, in connectorsIn) (any, error) {
	if in.Name == "" {
		return c.run("", "connectors", "list")
	}
	return c.run("", "connectors", "show", in.Name)
}

type fieldsIn struct {
	Source string `json:"source" jsonschema:"the name of the source or form in config.yaml"`
}

func fields(c *call, in fieldsIn) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	value, err := c.private("", append([]string{"sources", "fields", in.Source}, base...)...)
	if err != nil {
		if form, formErr := c.private("", append([]string{"forms", "fields", in.Source}, base...)...); formErr == nil {
			return form, nil
		}
	}
	return value, err
}

type searchIn struct {
	Source string `json:"source,omitempty" jsonschema:"only of this source or form"`
	Type   string `json:"type,omitempty" jsonschema:"only of this type"`
	State  string `json:"state,omitempty" jsonschema:"only in these states, separated by commas: routed, no_match, rule_error, rejected, duplicate, spam"`
	Rule   string `json:"rule,omitempty" jsonschema:"only those that this rule has matched"`
	Where  string `json:"where,omitempty" jsonschema:"only those for which this condition holds"`
	Text   string `json:"text,omitempty" jsonschema:"only those that hold this text"`
	Since  string `json:"since,omitempty" jsonschema:"only after this time: 24h, 7d, 2026-03-10"`
	Limit  int    `json:"limit,omitempty" jsonschema:"at most so many (20 unless set)"`
}

func eventsSearch(c *call, in searchIn) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if in.Limit <= 0 {
		in.Limit = 20
	}
	args := append([]string{"events", "list", fmt.Sprintf("--limit=%d", in.Limit)}, base...)
	return c.private("", append(args, flags("source", in.Source, "type", in.Type, "state", in.State, "rule", in.Rule,
		"where", in.Where, "text", in.Text, "since", in.Since)...)...)
}

// flags are those that are given; pairs are names and values.
func flags(pairs ...string) []string {
	var args []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			args = append(args, "--"+pairs[i]+"="+pairs[i+1])
		}
	}
	return args
}

type explainIn struct {
	ID     string   `json:"id,omitempty" jsonschema:"the id of a stored event: evt_…"`
	JSON   string   `json:"json,omitempty" jsonschema:"the body of an event, in place of a stored one"`
	Source string   `json:"source,omitempty" jsonschema:"the source or form that json would come from"`
	Set    []string `json:"set,omitempty" jsonschema:"values to change first: path=value"`
}

func eventExplain(c *call, in explainIn) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	name := in.ID
	if in.JSON != "" {
		name = "-"
	}
	if name == "" || in.ID != "" && in.JSON != "" {
		return nil, errors.New("give id, or json with source")
	}
	args := append([]string{"explain"}, base...)
	args = append(args, flags("source", in.Source)...)
	for _, set := range in.Set {
		args = append(args, "--set="+set)
	}
	return c.private(in.JSON, append(args, "--", name)...)
}

type textIn struct {
	Text string `json:"text,omitempty" jsonschema:"the whole text of a config.yaml"`
}

func check(c *call, in textIn) (any, error) {
	return c.with(in.Text, func(path string) (any, error) { return c.run("", "check", path) })
}

type testIn struct {
	textIn
	Run string `json:"run,omitempty" jsonschema:"only the tests whose names match this regular expression"`
}

func runTests(c *call, in testIn) (any, error) {
	return c.with(in.Text, func(path string) (any, error) {
		args := append([]string{"test", "-c", path}, flags("run", in.Run)...)
		if in.Run == "" {
			args = append(args, "--coverage")
		}
		return c.run("", args...)
	})
}

type diffIn struct {
	Text   string `json:"text" jsonschema:"the whole text of the changed config.yaml"`
	Since  string `json:"since,omitempty" jsonschema:"only events after this time (30d unless set)"`
	Source string `json:"source,omitempty" jsonschema:"only events of this source or form"`
	Limit  int    `json:"limit,omitempty" jsonschema:"list at most so many of the events that change (20 unless set)"`
}

func replayDiff(c *call, in diffIn) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if in.Text == "" {
		return nil, errors.New("give the whole text of the changed config.yaml")
	}
	if in.Since == "" {
		in.Since = "30d"
	}
	return c.with(in.Text, func(path string) (any, error) {
		args := append([]string{"replay", "--diff", "--config", path}, base...)
		if in.Limit > 0 {
			args = append(args, fmt.Sprintf("--limit=%d", in.Limit))
		}
		return c.private("", append(args, flags("since", in.Since, "source", in.Source)...)...)
	})
}

func routes(c *call, in textIn) (any, error) {
	return c.with(in.Text, func(path string) (any, error) { return c.run("", "routes", "-c", path) })
}

type failedIn struct {
	Connection string `json:"connection,omitempty" jsonschema:"only to this connection"`
	Rule       string `json:"rule,omitempty" jsonschema:"only of this rule"`
	Since      string `json:"since,omitempty" jsonschema:"only after this time: 24h, 7d, 2026-03-10"`
	Limit      int    `json:"limit,omitempty" jsonschema:"at most so many (20 unless set)"`
}

func deliveriesFailed(c *call, in failedIn) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if in.Limit <= 0 {
		in.Limit = 20
	}
	args := append([]string{"deliveries", "list", "--state=failed", fmt.Sprintf("--limit=%d", in.Limit)}, base...)
	return c.private("", append(args, flags("connection", in.Connection, "rule", in.Rule, "since", in.Since)...)...)
}
