package config

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// maxParts is how many sections are tried. Each is parsed behind as many empty
// lines as stand before it, so that many of them would take for ever; there
// are eleven.
const maxParts = 50

// salvage reads what can be read of a file that is no YAML as a whole, section
// by section: those that are broken are left out, and each is told with its
// own fault. A mistake in one so hides none in another. It gives the zero Node
// where the sections alone don't tell what is wrong.
func salvage(path string, content []byte) (root yamlnode.Node, faults diag.List, broken []string) {
	var rest []byte
	parts := sectionsOf(content)
	if len(parts) > maxParts {
		return yamlnode.Node{}, nil, nil
	}
	for _, s := range parts {
		_, list := yamlnode.Parse(path, slices.Concat(blank(content[:s.from]), content[s.from:s.to]))
		// An alias can be to an anchor in another section.
		list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
			return d.Code != "yaml-syntax" || strings.Contains(d.Message, "anchor")
		})
		if len(list) == 0 {
			rest = append(rest, content[s.from:s.to]...)
			continue
		}
		for i := range list {
			within(&list[i], content[:s.to])
		}
		faults, broken = append(faults, list...), append(broken, s.name)
		rest = append(rest, blank(content[s.from:s.to])...)
	}
	if len(broken) == 0 {
		return yamlnode.Node{}, nil, nil
	}
	root, list := yamlnode.Parse(path, rest)
	if list.Err() != nil && root.Kind() != yamlnode.Map {
		return yamlnode.Node{}, nil, nil
	}
	return root, append(faults, list...), broken
}

// within puts a fault that the parser noticed behind the section's end at that
// end: what it misses belongs there.
func within(d *diag.Diagnostic, upToEnd []byte) {
	text := bytes.TrimRight(upToEnd, " \t\r\n")
	if last := bytes.Count(text, []byte("\n")) + 1; d.Line > last {
		line := text[bytes.LastIndexByte(text, '\n')+1:]
		d.Line, d.Column, d.Width = last, utf8.RuneCount(line)+1, 1
	}
}

// part is a section's text in the file, up to the next one.
type part struct {
	name     string
	from, to int // bytes
}

// sectionsOf finds the lines that begin with a section's key. Nothing that is
// below a key of YAML's can begin a line.
func sectionsOf(content []byte) []part {
	var parts []part
	at := 0
	for line := range bytes.Lines(content) {
		name, _, found := strings.Cut(string(line), ":")
		if found && (slices.Contains(sectionNames(), name) || len(parts) > 0 && isEntryName(name)) {
			from := 0 // what stands before the first key goes with it
			if n := len(parts); n > 0 {
				parts[n-1].to, from = at, at
			}
			parts = append(parts, part{name: name, from: from, to: len(content)})
		}
		at += len(line)
	}
	return parts
}

// blank is a text of as many lines that says nothing.
func blank(content []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return r
		}
		return ' '
	}, content)
}

// follow are the codes of what is said for no other reason than that a section
// could not be read.
func follow(broken []string) []string {
	table := map[string][]string{
		"version":     {"missing-key"},
		"server":      {"no-public-url"},
		"outbound":    {"private-address"},
		"sources":     {"unknown-source", "unknown-event"},
		"forms":       {"unknown-source", "unknown-event", "unused-connection"},
		"connections": {"unknown-connection"},
		"recipes":     {"unknown-type"},
		"rules":       {"unknown-action", "unused-source", "unused-form", "unused-connection"},
	}
	var codes []string
	for _, name := range broken {
		codes = append(codes, table[name]...)
	}
	return codes
}
