package forms

import (
	"strings"

	"hookgate/forms/builder"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// senderKeys are the keys of a form that a form builder sends by webhook
// instead of visitors. Those about the sender are decoded by app/source.
type senderKeys struct {
	Via     yamlnode.Text `yaml:"via" doc:"Who posts: visitors where left out, or a form builder by its webhook." values:"webhook"`
	Format  yamlnode.Text `yaml:"format" doc:"With via: webhook: whose webhooks they are." default:"generic" example:"tally"`
	Token   yamlnode.Node `yaml:"token" doc:"With via: webhook: the secret end of the address, at least 16 characters." type:"text" example:"${FORM_TOKEN}"`
	Verify  yamlnode.Node `yaml:"verify" doc:"With via: webhook: how the builder signs, as for a source." type:"any"`
	Methods yamlnode.Node `yaml:"methods" doc:"With via: webhook: the HTTP methods that are taken." type:"any" default:"[POST, PUT]"`
	Dedupe  yamlnode.Node `yaml:"dedupe" doc:"With via: webhook: how repeats are recognised, as for a source." type:"text" example:"body 10m"`
	EventID yamlnode.Text `yaml:"event_id" doc:"With via: webhook: an expression that finds the id of a submission in what was sent." example:"data.id"`
}

// senderOnly are the keys that have a meaning only where a builder posts, and
// visitorOnly those where a visitor does.
var (
	senderOnly  = []string{"format", "token", "verify", "methods", "dedupe", "event_id"}
	visitorOnly = []string{"origins", "honeypot", "redirect", "lang", "brand", "title", "intro", "submit", "max_upload", "quota", "min_time", "captcha", "duplicates"}
)

// Webhook reports whether a form builder posts and no visitor.
func (f *Form) Webhook() bool { return f.format != nil }

// Format is the name of the builder's format; "" where visitors post.
func (f *Form) Format() string {
	if f.format == nil {
		return ""
	}
	return f.format.Name
}

// EventID is the expression by which the builder's repeats are recognised
// unless the configuration has one; "" for none. subject says that it is the
// submission's and not the event's, see builder.Format.
func (f *Form) EventID() (expression string, subject bool) {
	if f.format == nil {
		return "", false
	}
	return f.format.EventID, f.format.Subject
}

// Receive reads what a builder sent, as JSON text: its fields, and what is
// known besides. Problems of a field are not the builder's to mend, so they
// refuse nothing: such values are in Data as they came.
func (f *Form) Receive(text []byte) (r Result, meta map[string]any) {
	submission := f.format.Read(text)
	posted := make([]body.Field, len(submission.Fields))
	for i, field := range submission.Fields {
		posted[i] = body.Field{Name: field.Name, Value: field.Value}
	}
	r = f.Submit(posted)
	r.Problems = nil
	return r, submission.Meta
}

// sender reads who posts to the form.
func (s *settings) sender(f *Form, n yamlnode.Node) diag.List {
	if s.Via.IsZero() {
		for _, key := range senderOnly {
			if given := n.Get(key); !given.IsZero() {
				return diag.List{given.Diag("conflict", "add via: webhook", "%q is for forms that a form builder sends", key)}
			}
		}
		return nil
	}
	if s.Via.Value != "webhook" {
		return diag.List{s.Via.Diag("bad-value", "leave it out for a form that visitors post", `"via" must be webhook, not %q`, s.Via.Value)}
	}
	var list diag.List
	for _, key := range visitorOnly {
		if given := n.Get(key); !given.IsZero() {
			list = append(list, given.Diag("conflict", "the builder shows the form: leave it out", "a form via webhook has no %q", key))
		}
	}
	format := "generic"
	if !s.Format.IsZero() {
		format = s.Format.Value
	}
	found, ok := builder.Find(format)
	if !ok {
		list = append(list, s.Format.Diag("unknown-type", formatHint(format), "there is no format %q", format))
	}
	f.format, f.honeypot = &found, ""
	if f.TakesFiles() {
		list = append(list, s.Fields.Diag("conflict", "builders send the addresses of files: take them as text or url", "a form via webhook takes no files"))
	}
	return list
}

func formatHint(format string) string {
	names := formatNames()
	if hint := diag.DidYouMean(strings.ToLower(format), names); hint != "" {
		return hint
	}
	return "it can be " + strings.Join(names, ", ")
}

func formatNames() []string {
	all := builder.Formats()
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return names
}
