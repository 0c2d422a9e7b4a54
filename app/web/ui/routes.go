package ui

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// routesPage is the page of what goes where.
type routesPage struct {
	admin.RuleList
	Graph  *routeGraph
	States map[string]mark
}

// List is what is known of all rules.
func (p routesPage) List() *admin.RuleList { return &p.RuleList }

// routeGraph is a picture of sources, rules and connections, and of the ways
// between them.
type routeGraph struct {
	Height int
	Text   string
	Nodes  []graphNode
	Edges  []graphEdge
}

// graphNode is a box of the picture, and graphEdge a way between two.
type graphNode struct {
	X, Width, TextX, IconX  float64
	Y, IconY, TextY, SmallY float64
	Height                  int
	Class, Icon, Tint, Name string
	Small                   string // below the name
	Count                   string // at the right end
	CountX                  float64
}

type graphEdge struct{ Class, Path, Width string }

// The columns of the picture, in its own units.
const (
	graphWidth           = 1110
	sourceX, sourceWidth = 0.75, 217.5
	ruleX, ruleWidth     = 415.75, 238.5
	toX, toWidth         = 885.75, 223.5
	nodeHeight, nodeStep = 44, 58
	graphTop             = 40
	longestName          = 26 // in characters
	longestSmall         = 30 // of what stands below it
)

// routes shows what goes where, and how much of it.
func (u *UI) routes(c *fiber.Ctx) error {
	list, err := u.cfg.Service.Rules(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	data := routesPage{RuleList: list}
	if data.States, err = u.connectionStates(c); err != nil {
		return u.fail(c, err)
	}
	if len(list.Items) > 0 {
		data.Graph = u.view(c, "", "").routeGraph(&data)
	}
	return u.render(c, "routes", "Routes", data)
}

// grapher places boxes and draws ways.
type grapher struct {
	view  *view
	graph routeGraph
	at    map[string]float64 // the middle of a box, by column and name
	most  int
}

func (v *view) routeGraph(p *routesPage) *routeGraph {
	g := grapher{view: v, at: map[string]float64{}, most: 1}
	var sources, targets, tables []string
	came := map[string]int{}
	for i := range p.Items {
		r := &p.Items[i]
		for _, from := range r.From {
			sources = once(sources, from)
			came[from] += r.Origins[from]
		}
		for _, to := range r.Targets() {
			targets = once(targets, to)
		}
		for _, table := range r.Tables() {
			tables = once(tables, table)
		}
		g.most = max(g.most, r.Matches)
	}
	right := len(targets) + len(tables)
	rows := max(len(sources), len(p.Items), right)
	g.graph.Height = graphTop + rows*nodeStep
	for i, name := range sources {
		small := v.T("%d matches", came[name])
		if word := v.SourceWord(&p.RuleList, name); word != "" {
			small = shortened(word, longestSmall)
		}
		g.node(graphNode{X: sourceX, Width: sourceWidth, Icon: v.SourceIcon(&p.RuleList, name), Class: off(came[name]), Name: name, Small: small}, "s", i, len(sources))
	}
	for i := range p.Items {
		r := &p.Items[i]
		g.node(graphNode{X: ruleX, Width: ruleWidth, Icon: "rules", Class: off(r.Matches), Name: r.Name, Count: v.Lang.number(r.Matches), Small: shortened(v.ruleFlow(&r.RuleSettings), longestSmall)}, "r", i, len(p.Items))
	}
	for i, name := range targets {
		m := p.States[name]
		g.node(graphNode{X: toX, Width: toWidth, Icon: m.Icon, Tint: m.Class, Class: m.Class, Name: name, Small: m.Word}, "t", i, right)
	}
	for i, name := range tables {
		g.node(graphNode{X: toX, Width: toWidth, Icon: "table", Name: name, Small: v.T("a table")}, "k", len(targets)+i, right)
	}
	for i := range p.Items {
		r := &p.Items[i]
		for _, from := range r.From {
			g.edge(sourceX+sourceWidth, g.at["s"+from], ruleX, g.at["r"+r.Name], r.Origins[from], "")
		}
		for _, to := range r.Targets() {
			g.edge(ruleX+ruleWidth, g.at["r"+r.Name], toX, g.at["t"+to], r.Sent[to], p.States[to].Class)
		}
		for _, table := range r.Tables() {
			g.edge(ruleX+ruleWidth, g.at["r"+r.Name], toX, g.at["k"+table], r.Matches, "")
		}
	}
	g.graph.Text = v.T("%d sources, %d rules and %d connections; the table below has the same", len(sources), len(p.Items), len(targets))
	return &g.graph
}

// ruleFlow says in a few words what a rule does beside sending; "" where that is
// nothing.
func (v *view) ruleFlow(r *admin.RuleSettings) string {
	var said []string
	if r.ForEach != "" {
		said = append(said, v.T("for each element"))
	}
	if n := len(r.Branches); n > 0 {
		said = append(said, v.Count("%d branches", n))
	}
	steps, later, gathered := 0, false, false
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.After != "" {
			steps++
		}
		later = later || a.Delay != "" || a.DelayUntil != "" || a.OnlyDuring != ""
		gathered = gathered || a.Digest != nil
	}
	if steps > 0 {
		said = append(said, v.T("a chain"))
	}
	if later {
		said = append(said, v.T("later"))
	}
	if gathered {
		said = append(said, v.T("gathered"))
	}
	return strings.Join(said, ", ")
}

// SentBy is how often an action of a rule would have sent: of several that send to
// one connection the first tells it for all, and of what comes after others it is
// not known.
func (v *view) SentBy(r admin.Rule, a admin.RuleAction) string {
	first := slices.IndexFunc(r.Actions, func(b admin.RuleAction) bool { return b.To == a.To && b.After == "" })
	if first < 0 || r.Actions[first].Action != a.Action {
		return ""
	}
	return v.Lang.number(r.Sent[a.To])
}

// shortened is a text of at most n characters.
func shortened(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// once adds a name to those in the order of the file, unless it is there.
func once(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

func off(n int) string {
	if n == 0 {
		return "off"
	}
	return ""
}

// node places a box as the i-th of n in its column.
func (g *grapher) node(n graphNode, column string, i, of int) {
	room := float64(g.graph.Height-graphTop) / float64(of)
	n.Y = graphTop + room*(float64(i)+0.5) - nodeHeight/2
	n.Height, n.IconX, n.IconY, n.TextX = nodeHeight, n.X+11, n.Y+nodeHeight/2-8, n.X+37
	n.TextY, n.SmallY, n.CountX = n.Y+nodeHeight/2+5, n.Y+34, n.X+n.Width-12
	if n.Small != "" {
		n.TextY = n.Y + 18
	}
	g.at[column+n.Name] = n.Y + nodeHeight/2
	n.Name = shortened(n.Name, longestName)
	g.graph.Nodes = append(g.graph.Nodes, n)
}

// edge draws a way from one box to another, as thick as it is busy.
func (g *grapher) edge(x1, y1, x2, y2 float64, n int, class string) {
	bend := (x2 - x1) / 2
	g.graph.Edges = append(g.graph.Edges, graphEdge{
		Class: class, Width: fmt.Sprintf("%.1f", 1+8*math.Sqrt(float64(n)/float64(g.most))),
		Path: fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2),
	})
}
