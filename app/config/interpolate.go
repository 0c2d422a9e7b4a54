package config

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// interpolator puts the environment's values into the scalars of a document.
type interpolator struct {
	env    *environment
	report *Report
	list   diag.List
	faulty map[diag.Position]bool // scalars that have been complained about
	needed map[string]bool        // the names that have no default, or have a value
}

// envSections are where ${NAME} serves. It does not in rules and tests, so
// that no secret can get into a message.
var envSections = []string{"server", "storage", "sources", "forms", "connections"}

// document handles all sections. Those where no value may stand come first:
// an alias in them shows what it stands for as it is written, still.
func (p *interpolator) document(root yamlnode.Node, known []string) {
	for _, f := range root.Fields() {
		if slices.Contains(known, f.Key.Value) && !slices.Contains(envSections, f.Key.Value) {
			p.forbid(f.Value, f.Key.Value)
		}
	}
	for _, f := range root.Fields() {
		if slices.Contains(envSections, f.Key.Value) {
			p.replaceAll(f.Value)
		}
	}
}

// forbid complains about every ${NAME} under n.
func (p *interpolator) forbid(n yamlnode.Node, section string) {
	for _, child := range children(n) {
		p.forbid(child, section)
	}
	if n.Kind() != yamlnode.Scalar || n.Replaced() {
		return
	}
	text := n.Text()
	found := references(text.Value)
	for _, r := range found {
		switch {
		case r.escaped || r.fault != "":
		case section == "rules" || section == "tests":
			p.fail(n, text.DiagAt(r.from, r.to, "env-in-rules",
				"write ${{ }} for a value of the event, $${ for a literal ${",
				"environment values can't be used in %s, so that no secret reaches a message", section))
		default:
			p.fail(n, text.DiagAt(r.from, r.to, "env-not-here", "", "environment values can't be used in %s, only in %s", section, strings.Join(envSections, ", ")))
		}
	}
	if slices.ContainsFunc(found, func(r reference) bool { return r.escaped }) {
		n.Replace(expand(text.Value, found, nil))
	}
}

// replaceAll puts values into every scalar under n.
func (p *interpolator) replaceAll(n yamlnode.Node) {
	for _, f := range n.Fields() {
		for _, r := range references(f.Key.Value) {
			if !r.escaped && r.fault == "" {
				p.list = append(p.list, f.Key.DiagAt(r.from, r.to, "env-in-key", "only in values", "environment values can't be used in keys"))
			}
		}
	}
	for _, child := range children(n) {
		p.replaceAll(child)
	}
	if n.Kind() == yamlnode.Scalar && !n.Replaced() {
		p.replace(n)
	}
}

// maxFaults is how many faults of one scalar are reported.
const maxFaults = 20

// replace puts values into one scalar. A scalar of which one value is missing
// stays as it is; what is said of it later is dropped, for it would follow
// from that.
func (p *interpolator) replace(n yamlnode.Node) {
	text := n.Origin().Text()
	found := references(text.Value)
	if len(found) == 0 {
		return
	}
	if p.faulty[text.Pos()] { // by another way to it, of an alias or a merge key
		p.report.distrust(n)
		return
	}
	values := make([]string, len(found))
	failed := 0
	for i, r := range found {
		if r.escaped {
			continue
		}
		value, fault := p.value(r)
		if fault != nil {
			d := *fault
			d.Position, d.Path, d.Severity = text.At(r.from, r.to), n.Path(), diag.Error
			p.fail(n, d)
			if failed++; failed == maxFaults {
				break
			}
			continue
		}
		values[i] = value
		p.warnBlanks(n, r)
	}
	if failed == 0 {
		n.Replace(expand(text.Value, found, values))
	}
}

// value is what stands for r, or why nothing can.
func (p *interpolator) value(r reference) (string, *diag.Diagnostic) {
	if r.fault != "" {
		return "", &diag.Diagnostic{
			Code: "env-syntax", Message: "this ${ " + r.fault,
			Hint: "write ${NAME} or ${NAME:-default}, or $${ for a literal ${",
		}
	}
	a := p.env.lookup(r.name)
	usable := a.set && a.value != ""
	if usable || !r.hasDefault {
		p.needed[r.name] = true
	}
	switch {
	case a.err != nil:
		return "", &diag.Diagnostic{
			Code: "env-missing", Message: fmt.Sprintf("the file that %s_FILE names can't be read: %s", r.name, reason(a.err)),
			Hint: "check the path and the file's mode",
		}
	case usable:
		p.report.mask(r.name, a.value)
		return a.value, nil
	case r.hasDefault:
		return r.fallback, nil
	case a.spoilt:
		return "", &diag.Diagnostic{
			Code: "env-missing", Message: r.name + " has a value in .env that can't be used", Hint: "see what is said of .env",
		}
	case a.set:
		return "", &diag.Diagnostic{
			Code: "env-missing", Message: r.name + " is empty",
			Hint: fmt.Sprintf("give it a value, or write ${%s:-} where it may be empty", r.name),
		}
	}
	return "", &diag.Diagnostic{
		Code: "env-missing", Message: r.name + " is not set",
		Hint: fmt.Sprintf("set it in the environment or .env, or set %s_FILE", r.name),
	}
}

// warnBlanks tells of blanks that were cut off a value: there may be one in a
// thousand who means them.
func (p *interpolator) warnBlanks(n yamlnode.Node, r reference) {
	if a := p.env.lookup(r.name); !a.blanks {
		return
	}
	d := n.Origin().Text().DiagAt(r.from, r.to, "blanks-cut", "take them out of the value, or out of the file that it comes from", "the value of %s has blanks around it, which are cut off", r.name)
	d.Path, d.Severity = n.Path(), diag.Warning
	p.list = append(p.list, d)
}

// fail keeps a fault and remembers that what the scalar says is not to be
// trusted.
func (p *interpolator) fail(n yamlnode.Node, d diag.Diagnostic) {
	p.faulty[n.Origin().Text().Pos()] = true
	p.report.distrust(n)
	p.list = append(p.list, d)
}

// expand is text with each reference replaced by the value of the same index,
// and $${ by ${. Without values the references stay.
func expand(text string, found []reference, values []string) string {
	var b strings.Builder
	last := 0
	for i, r := range found {
		b.WriteString(text[last:r.from])
		switch {
		case r.escaped:
			b.WriteString("${")
		case values == nil:
			b.WriteString(text[r.from:r.to])
		default:
			b.WriteString(values[i])
		}
		last = r.to
	}
	b.WriteString(text[last:])
	return b.String()
}

// children are the values directly under n.
func children(n yamlnode.Node) []yamlnode.Node {
	list := n.Items()
	for _, f := range n.Fields() {
		list = append(list, f.Value)
	}
	return list
}
