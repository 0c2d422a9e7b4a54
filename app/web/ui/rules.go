package ui

import (
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/rules/lang"
)

// rulesPage is the page of rules.
type rulesPage struct {
	admin.RuleList
	Shown  []ruleRow
	View   string // "", hints or silent
	Hints  int    // rules with something to look at
	Silent int    // that matched nothing
	States map[string]mark
}

// ruleRow is a rule as the page shows it.
type ruleRow struct {
	admin.Rule
	Spark  []sparkBar
	Failed int // of its tests
}

// List is what is known of all rules.
func (p rulesPage) List() *admin.RuleList { return &p.RuleList }

// Settings are the rule as it stands in the file.
func (r *ruleRow) Settings() *admin.RuleSettings { return &r.RuleSettings }

// hinted reports that there is something to look at.
func (r *ruleRow) hinted() bool {
	return len(r.Findings) > 0 || r.Near > 0 || r.Errors > 0 || r.Failed > 0
}

// rules shows the rules in force, and what they do with what comes in.
func (u *UI) rules(c *fiber.Ctx) error {
	list, err := u.cfg.Service.Rules(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	data := rulesPage{RuleList: list, View: c.Query("view")}
	if data.States, err = u.connectionStates(c); err != nil {
		return u.fail(c, err)
	}
	for _, r := range list.Items {
		row := ruleRow{Rule: r, Spark: spark(r.Days, "f-ink")}
		for _, t := range r.Tests {
			if !t.OK {
				row.Failed++
			}
		}
		hinted, silent := row.hinted(), r.Matches == 0
		if hinted {
			data.Hints++
		}
		if silent {
			data.Silent++
		}
		if data.View == "" || data.View == "hints" && hinted || data.View == "silent" && silent {
			data.Shown = append(data.Shown, row)
		}
	}
	return u.render(c, "rules", "Rules", data)
}

// alike tells how many events missed a rule in the same place as one of them did.
func (u *UI) alike(c *fiber.Ctx) error {
	found, err := u.cfg.Service.Alike(c.UserContext(), c.Query("rule"), c.Query("part"), c.Query("note"))
	if err != nil {
		return u.fail(c, err)
	}
	return u.renderPage(c, "alike", "rules", found.Rule, found)
}

// AlikeLink is the page that tells how many events missed a rule in the same place.
func (v *view) AlikeLink(rule string, missed *lang.Part) string {
	return prefix + "/rules/alike" + query("rule", rule, "part", missed.Text, "note", missed.Note)
}

// connectionStates are the states of the connections, by their names.
func (u *UI) connectionStates(c *fiber.Ctx) (map[string]mark, error) {
	page, err := u.cfg.Service.Connections(c.UserContext())
	if err != nil {
		return nil, err
	}
	v, states := u.view(c, "", ""), map[string]mark{}
	for i := range page.Items {
		states[page.Items[i].Name] = v.ConnectionState(page.Items[i].State)
	}
	return states, nil
}

// span is a part of a text in one colour; Class "" is none.
type span struct{ Class, Text string }

var (
	inExpression = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b(?:and|or|not|in|let|true|false|nil)\b|\b(?:data|event|headers|query)\b(?:\??\.[A-Za-z_]\w*|\["[^"]*"\])*`)
	inYAML       = regexp.MustCompile(`\$\{\{.*?\}\}|(?:^|[\s{,])#.*$|"(?:[^"\\]|\\.)*"|^\s*(?:- )?[A-Za-z_][\w-]*:|\b[a-z_]+:(?: |$)`)
)

// Expression is an expression with its parts told apart.
func (v *view) Expression(text string) []span { return colour(text, inExpression, ofExpression) }

// YAML is a line of YAML with its parts told apart.
func (v *view) YAML(line string) []span {
	key, value, ok := strings.Cut(line, ":")
	if name := strings.TrimLeft(key, " -"); ok && (name == "when" || name == "ordering_key" || name == "assert") {
		return append([]span{{"k", key}, {"", ":"}}, v.Expression(value)...)
	}
	return colour(line, inYAML, ofYAML)
}

func colour(text string, parts *regexp.Regexp, class func(string) string) []span {
	var list []span
	at := 0
	for _, m := range parts.FindAllStringIndex(text, -1) {
		if m[0] > at {
			list = append(list, span{"", text[at:m[0]]})
		}
		list = append(list, span{class(text[m[0]:m[1]]), text[m[0]:m[1]]})
		at = m[1]
	}
	return append(list, span{"", text[at:]})
}

func ofExpression(part string) string {
	switch {
	case part[0] == '"' || part[0] == '\'':
		return "s"
	case strings.HasPrefix(part, "data"), strings.HasPrefix(part, "event"), strings.HasPrefix(part, "headers"), strings.HasPrefix(part, "query"):
		return "u"
	}
	return "k"
}

func ofYAML(part string) string {
	switch {
	case strings.HasPrefix(part, "${{"):
		return "u"
	case strings.HasPrefix(strings.TrimLeft(part, " \t{,"), "#"):
		return "c"
	case part[0] == '"':
		return "s"
	}
	return "k"
}
