package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/trial"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// explainFlags are those of explain.
type explainFlags struct {
	source, typ, contentType string
	sets, headers            []string
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
	f.StringArrayVar(&flags.sets, "set", nil, "change a value first: `path=value`; may be given more than once")
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
	sample := trial.Sample{Source: flags.source, Body: content, ContentType: flags.contentType}
	if sample.ContentType == "" {
		sample.ContentType = trial.ContentType(name, content)
	}
	return s.explainSample(loaded, report, sample, flags)
}

// explainKept explains an event of the running server.
func (s *session) explainKept(cmd *cobra.Command, id event.ID, flags *explainFlags) error {
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
	changed := len(flags.sets) > 0 || flags.typ != "" || flags.source != ""
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
	sample := trial.Sample{
		Source: e.Source, Body: []byte(e.Body), ContentType: e.Request.ContentType,
		Headers: e.Request.Headers, Query: e.Request.Query, ID: e.ID, Time: e.Time,
	}
	if len(e.Base64) > 0 {
		sample.Body = e.Base64
	}
	if flags.source != "" {
		sample.Source = flags.source
	}
	return s.explainSample(loaded, report, sample, flags)
}

// explainSample asks the config's rules.
func (s *session) explainSample(loaded *app.Plan, report *config.Report, sample trial.Sample, flags *explainFlags) error {
	plan := loaded.Plan
	var err error
	if sample.Source, err = onlySource(sample.Source, trial.Sources(&plan)); err != nil {
		return err
	}
	if sample.Set, err = assignments(flags.sets); err != nil {
		return err
	}
	sample.Headers = maps.Clone(sample.Headers)
	for _, h := range flags.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return usageError(`write "Name: value"`, fmt.Errorf("--header %q has no colon", h))
		}
		if sample.Headers == nil {
			sample.Headers = map[string]string{}
		}
		sample.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	sample.Type = flags.typ
	if sample.Time.IsZero() {
		sample.Time = s.now()
	}
	t, err := trial.Open(&plan, loaded.Limits(), sample)
	var refused *trial.RefusedError
	switch {
	case errors.Is(err, trial.ErrNoSource):
		return usageError("the config has "+strings.Join(trial.Sources(&plan), ", "), err)
	case errors.As(err, &refused):
		return s.showRefusal(sample.Source, refused)
	case err != nil:
		return usageError("", fmt.Errorf("--set %w", err))
	}
	defer t.Close()
	x := explanation{
		Source: t.Source, Type: t.Type, Summary: admin.Summary(t.Data), Data: t.Data, Spam: t.Spam, Cause: t.Cause, Rules: t.Explain(), Autoreply: t.Reply(),
	}
	return s.showExplanation(&x, report.Files)
}

// onlySource is the source that is meant: the one that is named, or the only
// one there is.
func onlySource(name string, known []string) (string, error) {
	switch {
	case name != "" && !slices.Contains(known, name):
		hint := diag.DidYouMean(name, known)
		if hint == "" {
			hint = "the config has " + strings.Join(known, ", ")
		}
		return "", usageError(hint, fmt.Errorf("no source or form is called %q", name))
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
