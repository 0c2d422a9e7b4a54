package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/cli/trace"
	"hookgate/app/config"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web/api/client"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// explainFlags are those of explain.
type explainFlags struct {
	source, typ, contentType string
	at                       string
	sets, headers, answers   []string
}

func newExplain(s *session) *cobra.Command {
	var flags explainFlags
	c := &cobra.Command{
		Use: "explain FILE|-|EVENT_ID", GroupID: groupRules, Short: "Say what each rule makes of an event, and why",
		Long: `Say what each rule of the config makes of an event, part by part, and what would
be sent. Nothing is sent or stored. The event is a file, stdin (-), or one that
the running server has kept; a file needs no server, and goes through the same
reading, and the fields of a form, as an event that comes in.

--set changes a value first: a path of names and list indexes with dots, and the
new value, as JSON or else as text. Of a kept event the config's rules are asked
then, and the server's otherwise.`,
		Example: `  hookgate explain sample.json --source sitejet
  hookgate explain sample.json --source sitejet --set website.status=Done
  hookgate explain evt_7q2`,
		Args: exactly("a file (or -), or the id of an event"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.explain(cmd, args[0], &flags)
		},
	}
	f := c.Flags()
	f.StringVar(&flags.source, "source", "", "the source or form that it would come from (needed where there are several)")
	f.StringVar(&flags.typ, "type", "", "the event's `type` (else found in it)")
	f.StringVar(&flags.contentType, "content-type", "", "the file's content `type` (else by its name and content)")
	f.StringVar(&flags.at, "at", "", "the `time` at which the event would come, as 2026-03-27T16:50 (else now)")
	f.StringArrayVar(&flags.sets, "set", nil, "change a value first: `path=value`; may be given more than once")
	f.StringArrayVar(&flags.answers, "answer", nil, "what a step is answered: `STEP={\"id\":\"7\"}`, its outputs, or STEP=failed; may be given more than once")
	f.StringArrayVar(&flags.headers, "header", nil, "a `Name: value` of the request; may be given more than once")
	return c
}

func (s *session) explain(cmd *cobra.Command, name string, flags *explainFlags) error {
	id, idErr := event.ParseID(name)
	_, fileErr := os.Stat(name)
	if name != "-" && idErr == nil && fileErr != nil {
		return s.explainKept(cmd, id, flags)
	}
	if name != "-" && fileErr != nil {
		return usageError("give a file, - for stdin, or the id of an event", fileErr)
	}
	content, err := s.readSample(name)
	if err != nil {
		return err
	}
	loaded, report, err := s.loadRules()
	if err != nil {
		return err
	}
	request := &ingest.Request{Source: flags.source, Sample: &ingest.Sample{}}
	if request.Body, request.ContentType = content, flags.contentType; request.ContentType == "" {
		request.ContentType = body.GuessType(name, content)
	}
	return s.explainRequest(loaded, report, request, flags)
}

// explainKept explains an event of the running server.
func (s *session) explainKept(cmd *cobra.Command, id event.ID, flags *explainFlags) error {
	if flags.at != "" {
		return usageError("give a file with --at", errors.New("a kept event has its time"))
	}
	server, err := s.connect()
	if err != nil {
		return err
	}
	e, err := server.Event(cmd.Context(), id)
	if errors.Is(err, client.ErrNotFound) {
		return &failure{code: exitNotFound, err: fmt.Errorf("there is no event %s, and no file of that name", id)}
	}
	if err != nil {
		return serverError(err)
	}
	changed := len(flags.sets) > 0 || len(flags.answers) > 0 || flags.typ != "" || flags.source != ""
	if !changed && len(e.Why) > 0 {
		x := explanation{ID: &e.ID, Source: e.Source, Type: e.Type, Summary: e.Summary, Data: e.Data, JudgedBy: e.JudgedBy, Rules: e.Why}
		return s.showExplanation(&x, s.localLines(&x))
	}
	loaded, report, err := s.loadRules()
	if err != nil {
		return err
	}
	if !changed && len(e.Rules) > 0 {
		s.note("the server's rules have changed since this event: this is what those of %s say", loaded.Config.Path)
	}
	request := &ingest.Request{
		Request: source.Request{Method: e.Request.Method, ContentType: e.Request.ContentType, Body: []byte(e.Body), Now: e.Time},
		Source:  e.Source, ID: e.ID, Headers: e.Request.Headers, Sample: &ingest.Sample{Query: e.Request.Query},
	}
	if len(e.Base64) > 0 {
		request.Body = e.Base64
	}
	if flags.source != "" {
		request.Source = flags.source
	}
	return s.explainRequest(loaded, report, request, flags)
}

// answersOf reads what steps are answered.
func answersOf(texts []string) (map[string]lang.Answer, error) {
	answers := map[string]lang.Answer{}
	for _, text := range texts {
		step, answer, ok := lang.ReadAnswer(text)
		if !ok {
			return nil, usageError(`write --answer contact='{"id":"7"}', or --answer contact=failed:reason`, fmt.Errorf("--answer %q is no step with its outputs", text))
		}
		answers[step] = answer
	}
	return answers, nil
}

// explainRequest asks the config's rules.
func (s *session) explainRequest(loaded *app.Plan, report *config.Report, r *ingest.Request, flags *explainFlags) error {
	plan := loaded.Plan
	var err error
	if r.Source, err = onlySource(r.Source, plan.Names()); err != nil {
		return err
	}
	if r.Sample.Set, err = assignments(flags.sets); err != nil {
		return err
	}
	if r.Sample.Answers, err = answersOf(flags.answers); err != nil {
		return err
	}
	if r.Headers, err = withHeaders(r.Headers, flags.headers); err != nil {
		return err
	}
	r.Sample.Type = flags.typ
	if flags.at != "" {
		if r.Now, err = parseAt(flags.at, plan.Location); err != nil {
			return err
		}
	}
	if r.Now.IsZero() {
		r.Now = s.now()
	}
	var done func()
	if r.Records, done, err = loaded.OpenRecords(context.Background()); err != nil {
		return &failure{code: exitFailed, err: err}
	}
	defer done()
	d := ingest.Decide(&plan, r)
	defer d.Close()
	switch err := d.Err(); {
	case err == nil:
	case errors.Is(err, ingest.ErrNoSource):
		return usageError("the config has "+strings.Join(plan.Names(), ", "), err)
	default:
		if refused, ok := errors.AsType[*ingest.RefusedError](err); ok {
			return s.showRefusal(r.Source, refused)
		}
		return usageError("", fmt.Errorf("--set %w", err))
	}
	e := &d.Event
	x := explanation{
		Source: e.Source, Type: e.Type, Summary: admin.Summary(e.Data()), Data: e.Data(), Rules: d.Explain(), Autoreply: d.ExplainReply(),
	}
	s.findDigests(context.Background(), x.Rules)
	if x.Cause = e.Cause; e.State == event.Spam {
		x.Spam, x.Cause = e.Cause, ""
	}
	return s.showExplanation(&x, report.Files)
}

// withHeaders adds what --header gives to the header fields of a request.
func withHeaders(before map[string]string, given []string) (map[string]string, error) {
	headers := map[string]string{}
	maps.Copy(headers, before)
	for _, h := range given {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, usageError(`write "Name: value"`, fmt.Errorf("--header %q has no colon", h))
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return headers, nil
}

// onlySource is the source that is meant: the one that is named, or the only
// one there is.
func onlySource(name string, known []string) (string, error) {
	switch {
	case name != "" && !slices.Contains(known, name):
		return "", usageError(diag.Among(name, known), fmt.Errorf("no source or form is called %q", name))
	case name != "":
		return name, nil
	case len(known) == 1:
		return known[0], nil
	case len(known) == 0:
		return "", usageError("", errors.New("the config has no source and no form"))
	}
	return "", usageError("one of "+strings.Join(known, ", "), errors.New("say where it comes from: --source NAME"))
}

// localLines gives the text of the config file for the carets of an
// explanation that the server made, if it is the version that judged the event.
func (s *session) localLines(x *explanation) map[string][]byte {
	files := s.reloadedFiles(x.faults())
	for _, content := range files {
		if x.JudgedBy == nil || config.Hash(content) != x.JudgedBy.Config {
			return nil
		}
	}
	return files
}

// explanation is what `explain --json` prints.
type explanation struct {
	ID      *event.ID       `json:"id,omitempty"` // of an event that is kept
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Summary string          `json:"summary,omitempty"`
	Spam    string          `json:"spam,omitempty"`  // why no rule sees it
	Cause   string          `json:"cause,omitempty"` // which expression of the source does not fit
	Data    json.RawMessage `json:"data,omitempty"`
	// JudgedBy is the version of the config whose rules are told, for an event
	// that is kept.
	JudgedBy *admin.JudgedBy `json:"judged_by,omitempty"`
	Matched  int             `json:"matched"`
	Rules    []rules.Trace   `json:"rules"`
	// Autoreply is what the form would answer by mail.
	Autoreply *rules.Trace `json:"autoreply,omitempty"`
}

// traces are those of the rules, and of the form's own reply.
func (x *explanation) traces() []rules.Trace {
	if x.Autoreply == nil {
		return x.Rules
	}
	return append(slices.Clip(x.Rules), *x.Autoreply)
}

// refusal is the same for what would not become an event.
type refusal struct {
	Source   string          `json:"source"`
	Rejected string          `json:"rejected"`
	Line     int             `json:"line,omitempty"`
	Column   int             `json:"column,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Problems []fieldProblems `json:"problems,omitempty"`
}

type fieldProblems struct {
	Field   string     `json:"field"`
	Code    forms.Code `json:"code"`
	Message string     `json:"message"`
}

// faults are what could not be evaluated, with their places in the config.
func (x *explanation) faults() diag.List {
	var list diag.List
	add := func(at diag.Position, code, message string) {
		if at.Line > 0 {
			list = append(list, diag.Diagnostic{Severity: diag.Error, Code: code, Position: at, Message: message})
		}
	}
	for _, t := range x.traces() {
		if t.Result == rules.Failed {
			add(t.At, "rule-error", t.Rule+": "+t.Error)
		}
		for a := range t.Sends() {
			if a.Err != "" {
				add(a.At, "output", a.Name+": "+a.Err)
			}
		}
	}
	return list
}

// showExplanation prints the trace; files are the texts of the config for the
// carets below it.
func (s *session) showExplanation(x *explanation, files map[string][]byte) error {
	for _, t := range x.Rules {
		if t.Result == rules.Matched {
			x.Matched++
		}
	}
	if s.json {
		if x.Rules == nil {
			x.Rules = []rules.Trace{}
		}
		return s.printJSON(x)
	}
	head := s.out.Strong.Render(term.Clean(x.Type))
	if x.Summary != "" {
		head += " · " + term.Clean(x.Summary)
	}
	s.out.Println(head)
	if x.JudgedBy != nil {
		s.out.Println(s.out.Dim.Render("judged by the rules" + strings.TrimPrefix(s.judgedBy(x.JudgedBy), ",")))
		s.showGone("", x.JudgedBy)
	}
	if x.Cause != "" {
		s.out.Println(s.out.Warn.Render("an expression of the source does not fit: " + term.Clean(x.Cause)))
	}
	if x.Spam != "" {
		s.out.Println(s.out.Warn.Render("spam: "+term.Clean(x.Spam)) + ": it would be kept, and no rule would see it")
		return nil
	}
	if len(x.traces()) == 0 {
		s.out.Println("There is no rule. Nothing was sent.")
		return nil
	}
	view := trace.ForScreen(s.out, s.width())
	view.Keys = s.verbose
	view.Table(x.traces())
	if err := diag.Render(s.out, x.faults(), files, s.out.Color()); err != nil {
		return err
	}
	s.out.Println(summaryOf(x))
	return nil
}

func summaryOf(x *explanation) string {
	verb := "match"
	if x.Matched == 1 {
		verb = "matches"
	}
	text := fmt.Sprintf("%d of %s %s.", x.Matched, plural(len(x.Rules), "rule"), verb)
	if x.ID != nil {
		return text + " What was sent: hookgate events show " + x.ID.String()
	}
	return text + " Nothing was sent."
}

// showRefusal says why no rule would see the sample.
func (s *session) showRefusal(source string, refused *ingest.RefusedError) error {
	out := refusal{Source: source, Rejected: refused.Error()}
	if fault, ok := errors.AsType[*body.Error](refused); ok {
		out.Line, out.Column, out.Hint = fault.Line, fault.Column, fault.Hint
	}
	for _, p := range refused.Problems {
		out.Problems = append(out.Problems, fieldProblems{Field: p.Field, Code: p.Code, Message: p.Message(forms.English)})
	}
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
		return &failure{code: exitFailed}
	}
	if len(out.Problems) == 0 {
		s.out.Println(s.out.Bad.Render("✗ rejected: "+term.Clean(out.Rejected)) + ": no rule would see it")
		if out.Hint != "" {
			s.out.Println("  " + term.Clean(out.Hint))
		}
		return &failure{code: exitFailed}
	}
	s.out.Println(s.out.Bad.Render("✗ refused by the form "+term.Clean(source)) + ": nothing would be kept")
	widest := 0
	for _, p := range out.Problems {
		widest = max(widest, term.Width(term.Clean(p.Field)))
	}
	for _, p := range out.Problems {
		s.out.Println("  " + s.out.Name.Render(term.Pad(term.Clean(p.Field), widest)) + "  " + term.Clean(p.Message))
	}
	return &failure{code: exitFailed}
}

// parseAt reads a time as people write it; one without a zone is in zone.
func parseAt(text string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if at, ok := lang.ReadTime(text, zone); ok {
		return at, nil
	}
	return time.Time{}, usageError("write it like 2026-03-27T16:50", fmt.Errorf("%q is no time", text))
}
