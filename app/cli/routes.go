package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

func newRoutes(s *session) *cobra.Command {
	var dot, mermaid bool
	c := &cobra.Command{
		Use: "routes", GroupID: groupRules, Short: "Show what goes where: source or form, rule, connection",
		Example: `  hookgate routes
  hookgate routes --dot | dot -Tsvg > routes.svg`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			if dot && mermaid || s.json && (dot || mermaid) {
				return usageError("", errors.New("--dot, --mermaid and --json exclude each other"))
			}
			loaded, _, err := s.loadRules() // a picture needs no secrets
			if err != nil {
				return err
			}
			routes := loaded.Routes()
			switch {
			case s.json:
				return s.printJSON(routes)
			case dot:
				s.out.Printf("%s", dotOf(&routes))
			case mermaid:
				s.out.Printf("%s", mermaidOf(&routes))
			default:
				s.printRoutes(&routes)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dot, "dot", false, "print a picture for Graphviz: hookgate routes --dot | dot -Tsvg")
	c.Flags().BoolVar(&mermaid, "mermaid", false, "print a picture in Mermaid, which Markdown pages show")
	return c
}

// routeColumn is how wide a column of the table may get, at the least and at
// the most, when they do not fit together.
const routeColumn = 12

// printRoutes prints one line for each action, and the conditions below it.
func (s *session) printRoutes(routes *app.Routes) {
	if len(routes.Routes) == 0 {
		s.note("no rule sends anything")
	}
	lines := [][]string{{"FROM", "EVENTS", "RULE", "TO"}}
	for _, r := range routes.Routes {
		lines = append(lines, []string{term.Clean(r.From), eventsOf(&r), term.Clean(r.Rule), term.Clean(r.Connection) + " (" + r.Kind + ")"})
	}
	widths := fit(lines, s.out.Width())
	s.out.Println(s.out.Strong.Render(columns(lines[0], widths)))
	var before []string
	for i, r := range routes.Routes {
		line := append([]string{}, lines[i+1]...)
		same := i > 0
		for n := range 3 { // what the line above says already
			if same = same && lines[i+1][n] == before[n]; same {
				line[n] = ""
			}
		}
		before = lines[i+1]
		s.out.Println(columns(line, widths))
		if r.When != "" && !same {
			s.condition("when ", r.When)
		}
		if r.Only != "" {
			s.condition("only when ", r.Only)
		}
	}
	s.printUnused(&routes.Unused)
}

// condition prints an expression in one line, cut where it is too long.
func (s *session) condition(word, code string) {
	text := "    " + word + strings.Join(strings.Fields(term.Clean(code)), " ")
	s.out.Println(s.out.Dim.Render(term.Cut(text, s.out.Width())))
}

func eventsOf(r *app.Route) string {
	switch {
	case r.Form && len(r.Events) == 0:
		return "form_submitted"
	case len(r.Events) == 0:
		return "all"
	}
	return term.Clean(strings.Join(r.Events, ", "))
}

// fit are the widths of columns that fit in width together: the widest gives way.
func fit(lines [][]string, width int) []int {
	widths := make([]int, len(lines[0]))
	total := 2 * (len(widths) - 1)
	for i := range widths {
		for _, line := range lines {
			widths[i] = max(widths[i], term.Width(line[i]))
		}
		total += widths[i]
	}
	for total > width {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= routeColumn {
			break // no terminal is that narrow
		}
		widths[widest]--
		total--
	}
	return widths
}

func columns(line []string, widths []int) string {
	var b strings.Builder
	for i, text := range line {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(term.Pad(term.Cut(text, widths[i]), widths[i]))
	}
	return strings.TrimRight(b.String(), " ")
}

func (s *session) printUnused(unused *app.Unused) {
	for _, part := range []struct {
		noun  string
		names []string
	}{{"source", unused.Sources}, {"form", unused.Forms}, {"connection", unused.Connections}} {
		for _, name := range part.names {
			s.out.Printf("%s %s %s\n", s.out.Warn.Render("unused:"), part.noun, term.Clean(name))
		}
	}
}

// picture is a graph of routes: nodes in three ranks, and edges between them.
type picture struct {
	nodes []node
	edges []edge
	ids   map[string]string
}

type node struct{ id, rank, label string }

type edge struct{ from, to, label string }

func pictureOf(routes *app.Routes) *picture {
	p := &picture{ids: map[string]string{}}
	drawn := map[edge]bool{}
	link := func(e edge) {
		if !drawn[e] {
			drawn[e] = true
			p.edges = append(p.edges, e)
		}
	}
	for _, r := range routes.Routes {
		from := p.node("from", r.From)
		name := r.Rule
		if name == event.AutoreplyRule { // each form has its own
			name += " of " + r.From
		}
		rule := p.node("rule", name)
		to := p.node("to", r.Connection+" ("+r.Kind+")")
		link(edge{from, rule, strings.Join(r.Events, ", ")})
		link(edge{rule, to, r.Only})
	}
	for _, name := range append(append([]string{}, routes.Unused.Sources...), routes.Unused.Forms...) {
		p.node("from", name)
	}
	for _, name := range routes.Unused.Connections {
		p.node("to", name)
	}
	return p
}

func (p *picture) node(rank, label string) string {
	key := rank + " " + label
	if id, found := p.ids[key]; found {
		return id
	}
	id := fmt.Sprintf("%s%d", rank, len(p.nodes)+1)
	p.ids[key] = id
	p.nodes = append(p.nodes, node{id, rank, label})
	return id
}

// dotOf is the picture in Graphviz's language; a label's quotes and backslashes
// are escaped.
func dotOf(routes *app.Routes) string {
	quote := func(text string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(text) + `"`
	}
	shapes := map[string]string{"from": "cds", "rule": "box", "to": "ellipse"}
	var b strings.Builder
	b.WriteString("digraph hookgate {\n  rankdir=LR;\n")
	p := pictureOf(routes)
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "  %s [shape=%s, label=%s];\n", n.id, shapes[n.rank], quote(n.label))
	}
	for _, e := range p.edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", e.from, e.to, quote(e.label))
	}
	b.WriteString("}\n")
	return b.String()
}

// mermaidOf is the picture in Mermaid's language; what has a meaning there is
// written as an entity.
func mermaidOf(routes *app.Routes) string {
	quote := func(text string) string {
		return `"` + strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(text) + `"`
	}
	shapes := map[string][2]string{"from": {"([", "])"}, "rule": {"[", "]"}, "to": {"[[", "]]"}}
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	p := pictureOf(routes)
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "  %s%s%s%s\n", n.id, shapes[n.rank][0], quote(n.label), shapes[n.rank][1])
	}
	for _, e := range p.edges {
		if e.label == "" {
			fmt.Fprintf(&b, "  %s --> %s\n", e.from, e.to)
			continue
		}
		fmt.Fprintf(&b, "  %s -->|%s| %s\n", e.from, quote(e.label), e.to)
	}
	return b.String()
}
