package ui

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/diag"
	"hookgate/rules/lang"
)

// playgroundPage tries a change of a rule against what really came in.
type playgroundPage struct {
	Rules  []admin.RuleSettings
	Rule   *admin.RuleSettings // nil: the configuration has no rules
	When   string              // as it was typed
	Edited bool                // the condition is another one
	Texts  []triedText
	Limit  int
	Limits []int
	Tried  admin.Tried
	Faults []expressionFault
	Mosaic *mosaic
	Patch  string // the address of the patch; "" where there is none
	// At is when the event that is shown is taken to have come, and Answers what its
	// steps are taken to be answered, a line each: as they were typed.
	At, Answers string
	Event       string // the event that is shown, where it was chosen
	Steps       []string
	Seen        []seenField // values to choose from
	Misread     string      // why one of the two was not understood
	// Gone is the rule that was edited, where the configuration has it no more, and Homeless
	// are the texts that were typed and have no field on the page.
	Gone     string
	Homeless []triedText
}

// triedText is a text that the rule sends, as it was typed.
type triedText struct {
	Key, To, Name, Text string
	Step, Branch        string
	Edited              bool
}

// expressionFault is a fault with the line that it is about.
type expressionFault struct {
	diag.Diagnostic
	Source, Caret string
}

// mosaic is a picture of events: a tile for each, in columns, the oldest first.
type mosaic struct {
	Height int
	Text   string
	Tiles  []tile
}

type tile struct{ X, Y, Class, Mark string }

const (
	tilesAcross = 40
	tileStep    = 18.6
)

// playground tries what the address says. All of it is in the address, so that
// a trial can be kept and sent to somebody.
func (u *UI) playground(c *fiber.Ctx) error {
	data, request := u.playgroundData(c)
	if data.Rule == nil {
		return u.render(c, "playground", "Playground", data)
	}
	data.Misread = u.clockAndAnswers(c, &data, &request)
	var err error
	data.Tried, err = u.cfg.Service.Try(c.UserContext(), request)
	if missing(err) {
		return u.notFound(c, "There is no such event: it never was, or retention has removed it.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	data.Faults = faultsIn(data.When, data.Tried.Faults)
	if len(data.Faults) > 0 || data.Misread != "" {
		c.Status(fiber.StatusUnprocessableEntity)
	}
	data.Seen = u.seenIn(c, &data)
	data.Mosaic = u.view(c, "", "").mosaic(&data.Tried)
	if data.Tried.Patch != "" {
		data.Patch = prefix + "/playground/patch?" + string(c.Context().QueryArgs().QueryString())
	}
	return u.render(c, "playground", "Playground", data)
}

// playgroundData reads the address.
func (u *UI) playgroundData(c *fiber.Ctx) (data playgroundPage, r admin.TryRequest) {
	if data.Rules = u.cfg.Service.RuleSettings(); len(data.Rules) == 0 {
		return data, r
	}
	at := max(0, slices.IndexFunc(data.Rules, func(s admin.RuleSettings) bool { return s.Name == c.Query("rule") }))
	rule := &data.Rules[at]
	data.Rule, data.Limits = rule, []int{200, 500, 2000}
	if data.Limit = c.QueryInt("limit"); !slices.Contains(data.Limits, data.Limit) {
		data.Limit = data.Limits[0]
	}
	r = admin.TryRequest{Rule: rule.Name, Limit: data.Limit}
	// Of another rule than the one that was edited nothing is taken over.
	same := c.Query("of", rule.Name) == rule.Name
	if same {
		_ = r.Event.UnmarshalText([]byte(c.Query("event"))) // what is no id is none
	}
	if r.Event != 0 {
		data.Event = r.Event.String()
	}
	data.When = rule.When
	if same {
		if c.Context().QueryArgs().Has("when") {
			data.When = strings.ReplaceAll(c.Query("when"), "\r\n", "\n")
		}
		data.Edited = strings.TrimSpace(data.When) != strings.TrimSpace(rule.When)
	}
	if data.Edited {
		r.When = &data.When
	}
	data.readTexts(c, &r)
	if edited := c.Query("of"); edited != "" && edited == c.Query("rule") { // nobody chose another one
		data.findHomeless(c, edited)
	}
	return data, r
}

// findHomeless finds what was typed for a rule that has changed, or is gone, since.
func (p *playgroundPage) findHomeless(c *fiber.Ctx, edited string) {
	if edited != p.Rule.Name {
		p.Gone = edited
	}
	for key, value := range c.Context().QueryArgs().All() {
		name := string(key)
		text, other := strings.HasPrefix(name, "text-"), slices.Contains([]string{"when", "at", "answers"}, name)
		homeless := text && !slices.ContainsFunc(p.Texts, func(t triedText) bool { return t.Key == name }) || p.Gone != "" && (text || other)
		if homeless && len(value) > 0 {
			p.Homeless = append(p.Homeless, triedText{Key: name, Text: string(value)})
		}
	}
}

// readTexts reads the texts that the rule sends, as they were typed.
func (p *playgroundPage) readTexts(c *fiber.Ctx, r *admin.TryRequest) {
	args, same := c.Context().QueryArgs(), c.Query("of", p.Rule.Name) == p.Rule.Name
	for _, a := range p.Rule.Actions {
		if a.Step != "" {
			p.Steps = append(p.Steps, a.Step)
		}
		for _, in := range a.Inputs {
			t := triedText{Key: fmt.Sprintf("text-%s-%d-%s", a.To, a.Action, in.Name), To: a.To, Name: in.Name, Text: in.Text, Step: a.Step, Branch: a.Branch}
			if same && args.Has(t.Key) {
				t.Text = strings.ReplaceAll(c.Query(t.Key), "\r\n", "\n")
			}
			if t.Edited = strings.TrimRight(t.Text, "\n") != strings.TrimRight(in.Text, "\n"); t.Edited {
				r.Inputs = append(r.Inputs, admin.TextInput{To: a.To, Action: a.Action, RuleInput: admin.RuleInput{Name: in.Name, Text: t.Text}})
			}
			p.Texts = append(p.Texts, t)
		}
	}
}

// clockAndAnswers reads when the event is taken to have come, and what its steps
// are taken to be answered. An unreadable time is said in words.
func (u *UI) clockAndAnswers(c *fiber.Ctx, data *playgroundPage, r *admin.TryRequest) string {
	if data.Rule == nil || c.Query("of", data.Rule.Name) != data.Rule.Name {
		return ""
	}
	data.At, data.Answers = strings.TrimSpace(c.Query("at")), strings.ReplaceAll(c.Query("answers"), "\r\n", "\n")
	for line := range strings.Lines(data.Answers) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if _, _, ok := lang.ReadAnswer(line); !ok {
			return languageOf(c).text("%s is no step with its answer.", line)
		}
		r.Answers = append(r.Answers, line)
	}
	if data.At == "" {
		return ""
	}
	at, ok := lang.ReadTime(data.At, u.location())
	if !ok {
		return languageOf(c).text("%s is no time. Write it like 2026-03-27T16:50.", data.At)
	}
	r.At = at
	return ""
}

// patch is the change as a patch of the configuration file.
func (u *UI) patch(c *fiber.Ctx) error {
	data, request := u.playgroundData(c)
	if data.Rule == nil {
		return u.notFound(c, "There is no such page.")
	}
	tried, err := u.cfg.Service.Try(c.UserContext(), request)
	if err != nil && !missing(err) {
		return u.fail(c, err)
	}
	if err != nil || tried.Patch == "" {
		return u.notFound(c, "There is nothing to change.")
	}
	c.Set(fiber.HeaderContentType, "text/x-diff; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+data.Rule.Name+`.patch"`)
	return c.SendString(tried.Patch)
}

// ByHand says which texts of a change are in no copy of the rule; "" where all are.
func (v *view) ByHand(list []admin.TextInput) string {
	if len(list) == 0 {
		return ""
	}
	names := make([]string, len(list))
	for i, in := range list {
		if names[i] = v.T("When"); in.To != "" {
			names[i] = in.Name + " → " + in.To
		}
	}
	return v.T("Copy by hand: %s. It does not stand in the file as a text of its own.", strings.Join(names, ", "))
}

// faultsIn shows faults below the lines that they are about; those that are
// about something else stand alone.
func faultsIn(text string, list diag.List) []expressionFault {
	var out []expressionFault
	lines := strings.Split(text, "\n")
	for _, d := range list {
		f := expressionFault{Diagnostic: d}
		if d.File == "where" && d.Line >= 1 && d.Line <= len(lines) {
			f.Source = lines[d.Line-1]
			f.Caret = strings.Repeat(" ", max(0, d.Column-1)) + strings.Repeat("^", max(1, d.Width))
		}
		out = append(out, f)
	}
	return out
}

// mosaic draws what the rule says of each event before and after the change.
func (v *view) mosaic(t *admin.Tried) *mosaic {
	n := len(t.Events)
	if n == 0 {
		return nil
	}
	rows := (n + tilesAcross - 1) / tilesAcross
	m := &mosaic{Height: int(float64(rows)*tileStep - 3)}
	for i := range n {
		e := &t.Events[n-1-i] // the oldest first
		one := tile{X: fmt.Sprintf("%.1f", float64(i/rows)*tileStep), Y: fmt.Sprintf("%.1f", float64(i%rows)*tileStep)}
		x, y := float64(i/rows)*tileStep, float64(i%rows)*tileStep
		switch {
		case e.Failed:
			one.Class, one.Mark = "f-bad", fmt.Sprintf("M%.1f %.1fl7 7M%.1f %.1fl-7 7", x+4, y+4, x+11, y+4)
		case e.Then && !e.Now:
			one.Class, one.Mark = "f-acc", fmt.Sprintf("M%.1f %.1fv7M%.1f %.1fh7", x+7.5, y+4, x+4, y+7.5)
		case e.Now && !e.Then:
			one.Class, one.Mark = "f-warn", fmt.Sprintf("M%.1f %.1fh7", x+4, y+7.5)
		case e.Other:
			one.Class, one.Mark = "f-ink", fmt.Sprintf("M%.1f %.1fh7M%.1f %.1fh7", x+4, y+5.5, x+4, y+9.5)
		case e.Now:
			one.Class = "f-ink"
		default:
			one.Class = "f-none"
		}
		m.Tiles = append(m.Tiles, one)
	}
	m.Text = v.T("%d events, the oldest first: %d match now, %d would match", n, t.Now, t.Then)
	return m
}

// TryLink is where a change of a rule's condition is tried.
func (v *view) TryLink(rule, when, event string) string {
	q := url.Values{"rule": {rule}}
	if when != "" {
		q.Set("when", when)
	}
	if event != "" {
		q.Set("event", event)
	}
	return prefix + "/playground?" + q.Encode()
}
