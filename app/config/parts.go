package config

import (
	"bytes"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// part is the text of one section, from the line of its key up to the next one.
// What stands before the first key goes with that.
type part struct {
	name string
	text []byte
}

// partsOf splits a file, which need not be YAML, at the lines that begin with a
// section's key. Nothing that belongs to the section before begins so in block
// style, in which nearly all files are written.
func partsOf(content []byte) []part {
	var parts []part
	from, at := 0, 0
	for line := range bytes.Lines(content) {
		name, _, found := strings.Cut(string(line), ":")
		if found && (slices.Contains(sectionNames(), name) || len(parts) > 0 && rules.IsName(name)) {
			if n := len(parts); n > 0 {
				parts[n-1].text, from = content[from:at], at
			}
			parts = append(parts, part{name: name})
		}
		at += len(line)
	}
	if n := len(parts); n > 0 {
		parts[n-1].text = content[from:]
	}
	return parts
}

// blank is a text of as many lines that says nothing.
func blank(text []byte) []byte {
	return bytes.Repeat([]byte("\n"), bytes.Count(text, []byte("\n")))
}

// maxParts is how many sections parseParts looks at; the language has a dozen.
// Each of them is parsed with all before it.
const maxParts = 50

// parseParts reads what can be read of a file that is no YAML as a whole. A
// section with which it stops to be YAML is left out, and named in broken, so
// that a mistake in one section hides none in another. The Node is zero where
// no section can be read.
func parseParts(path string, content []byte) (root yamlnode.Node, faults diag.List, broken []string) {
	parts := partsOf(content)
	if len(parts) > maxParts {
		return yamlnode.Node{}, nil, nil
	}
	var text []byte
	var doubles diag.List // faults of what is YAML
	for _, p := range parts {
		next := slices.Concat(text, p.text)
		node, list := yamlnode.Parse(path, next)
		if node.Kind() == yamlnode.Map {
			root, doubles, text = node, list, next
			continue
		}
		faults, broken, text = append(faults, list...), append(broken, p.name), append(text, blank(p.text)...)
	}
	return root, append(faults, doubles...), broken
}

// consequences are the codes of what is said for no other reason than that a
// section could not be read.
func consequences(broken []string) []string {
	table := map[string][]string{
		"version":     {"missing-key"},
		"server":      {"no-public-url"},
		"outbound":    {"private-address"},
		"sources":     {"unknown-source", "unknown-event"},
		"forms":       {"unknown-source", "unknown-event", "unused-connection"},
		"connections": {"unknown-connection"},
		"calendars":   {"unknown-calendar"},
		"recipes":     {"unknown-type"},
		"tables":      {"unknown-table"},
		"rules":       {"unknown-action", "unused-source", "unused-form", "unused-connection"},
	}
	var codes []string
	for _, name := range broken {
		codes = append(codes, table[name]...)
	}
	return codes
}
