package demo

import (
	"strings"

	"hookgate/app/cli/screen"
	"hookgate/app/web/api"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// printRules prints what each rule that listens said of an event, and why.
func (d *demo) printRules(e *api.EventDetail) {
	traces, err := d.explain(e)
	if err != nil {
		d.Out.Printf("%s%s\n", d.label("rule"), d.Out.Bad.Render(screen.Clean(err.Error())))
		return
	}
	label := d.label("rule")
	for i := range traces {
		t := &traces[i]
		if t.Result == rules.Skipped {
			continue
		}
		d.Out.Printf("%s%s  %s\n", label, screen.Pad(screen.Clean(t.Rule), 22), d.verdict(t))
		label = d.label("")
		for _, p := range t.Parts {
			d.printPart(p)
		}
	}
	if label == d.label("rule") {
		d.Out.Printf("%snone listens to %s: kept, nothing to send\n", label, screen.Clean(e.Type))
	}
}

// explain asks the rules about a stored event, as the server's were asked.
func (d *demo) explain(e *api.EventDetail) ([]rules.Trace, error) {
	doc, err := lang.ParseDoc(e.Data)
	if err != nil {
		return nil, err
	}
	defer doc.Release()
	meta := lang.Meta{ID: e.ID.String(), Type: e.Type, Source: e.Source, Time: e.Time}
	scope := lang.NewScope(doc, meta, e.Request.Headers, e.Request.Query)
	defer scope.Release()
	return d.loaded.Rules.Explain(scope), nil
}

func (d *demo) verdict(t *rules.Trace) string {
	switch {
	case t.Result == rules.Failed:
		return d.Out.Bad.Render("error: " + screen.Clean(t.Error))
	case t.Result == rules.Matched && len(t.Parts) == 0:
		return d.Out.Good.Render("match") + d.Out.Dim.Render("  it has no condition")
	case t.Result == rules.Matched:
		return d.Out.Good.Render("match")
	}
	return d.Out.Dim.Render("no match")
}

// printPart prints one test of a condition, with what was found beside it
// where that fits, else below.
func (d *demo) printPart(p lang.Part) {
	text := strings.Repeat("  ", p.Depth) + screen.Clean(p.Text)
	sign, note := " ", ""
	switch p.Verdict {
	case lang.True:
		sign = d.Out.Good.Render("✓")
	case lang.False:
		sign, note = d.Out.Bad.Render("✗"), p.Note
	case lang.Failed:
		sign, note = d.Out.Bad.Render("!"), p.Error+p.Note
	case lang.NotEvaluated:
		sign, note = d.Out.Dim.Render("–"), "not evaluated"
	}
	lead, note := "          "+sign+" ", screen.Clean(note)
	const column = 44
	switch {
	case note == "":
		d.Out.Println(lead + text)
	case screen.Width(text) <= column && column+2+screen.Width(note) <= columns-12:
		d.Out.Println(lead + screen.Pad(text, column) + "  " + d.Out.Dim.Render(note))
	default:
		d.Out.Println(lead + text)
		d.Out.Println("            " + d.Out.Dim.Render(screen.Cut(note, columns-12)))
	}
}
