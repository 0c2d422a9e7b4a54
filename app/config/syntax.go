package config

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// explain makes what the YAML parser said of a file into what people can act
// on: it knows the mistakes that this language invites.
func explain(root yamlnode.Node, list diag.List, content []byte) diag.List {
	if list.Err() == nil || isBlank(content) {
		d := root.Diag("bad-file", "begin it with version: 1", "the file must be a mapping of version, sources, connections, rules")
		if d.File == "" && len(list) > 0 {
			d.File = list[0].File
		}
		if d.Line == 0 {
			d.Line, d.Column, d.Width = 1, 1, 1
		}
		return diag.List{d}
	}
	return ExplainSyntax(list, content)
}

// ExplainSyntax makes what the YAML parser said of a file into what people can
// act on, as far as the line at fault tells what was meant.
func ExplainSyntax(list diag.List, content []byte) diag.List {
	lines := strings.Split(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
	for i := range list {
		if d := &list[i]; d.Code == "yaml-syntax" && d.Line >= 1 && d.Line <= len(lines) {
			explainLine(d, lines[d.Line-1])
		}
	}
	return list
}

// notUTF8 says where content, that is not UTF-8, stops to be.
func notUTF8(path string, content []byte) diag.Diagnostic {
	d := diag.Diagnostic{
		Severity: diag.Error, Code: "bad-file", Position: diag.Position{File: path, Line: 1, Column: 1, Width: 1},
		Message: "the file is not UTF-8 text", Hint: "save it as UTF-8",
	}
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if d.Column++; r == '\n' {
			d.Line, d.Column = d.Line+1, 1
		}
		content = content[size:]
	}
	return d
}

// isBlank reports whether a file holds nothing but comments.
func isBlank(content []byte) bool {
	for line := range bytes.Lines(content) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' && !bytes.Equal(text, []byte("---")) {
			return false
		}
	}
	return true
}

func explainLine(d *diag.Diagnostic, line string) {
	d.Message = strings.TrimPrefix(d.Message, "yaml: ")
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		d.Column, d.Width = strings.IndexByte(indent, '\t')+1, 1
		d.Message, d.Hint = "this line is indented with a tab", "indent with spaces, YAML allows no tabs"
	case bareReference(line) > 0:
		d.Column = bareReference(line)
		rest := string([]rune(line)[d.Column-1:])
		d.Width = len("${")
		if end := strings.IndexByte(rest, '}'); end > 0 {
			d.Width = len([]rune(rest[:end+1]))
		}
		d.Message, d.Hint = "inside { } and [ ] the braces of ${ } belong to YAML", "put the value in quotes"
	case d.Column > 1 && endsEarly.MatchString(string([]rune(line)[:min(d.Column-1, len([]rune(line)))])):
		d.Message = "to YAML the value ends before this"
		d.Hint = "put the whole value in quotes: '…'"
		if value := endsEarly.FindStringSubmatch(line); value != nil && !strings.ContainsAny(line, "'#") {
			d.Hint = "put the whole value in quotes: '" + strings.TrimSpace(line[len(value[1]):]) + "'"
		}
	case starred.MatchString(line) && strings.Contains(d.Message, "alphabetic or numeric"):
		at := starred.FindStringSubmatchIndex(line)
		value := strings.TrimRight(line[at[2]:at[3]], " ")
		d.Column, d.Width = utf8.RuneCountInString(line[:at[2]])+1, utf8.RuneCountInString(value)
		d.Message, d.Hint = "YAML takes a * that begins a value for an alias", "put the whole value in quotes: '"+value+"'"
	case strings.HasPrefix(string([]rune(line)[min(d.Column-1, len([]rune(line))):]), "*"):
		d.Message, d.Hint = "YAML takes a * that begins a value for an alias", "put the whole value in quotes"
	default:
		for _, p := range parserSays {
			if strings.Contains(d.Message, p.says) {
				d.Hint = p.hint
				if p.instead != "" {
					d.Message = p.instead
				}
				return
			}
		}
	}
}

// starred is a value that begins with *, as crontabs do, and that is no alias.
var starred = regexp.MustCompile(`[\w-]+: +(\*[^\w'"#,}\]][^'"#,}\]]*)`)

// endsEarly is a line up to the end of a value that begins with a quote or a
// bracket, which for YAML is the end of the whole value: "Done" == data.status.
var endsEarly = regexp.MustCompile(`^(\s*(?:- )?[\w-]+: +)(?:"[^"]*"|'[^']*'|\[[^\[\]]*\]|\{[^{}]*\}) *`)

// parserSays are the remedies for what the YAML parser finds. It has nothing
// but words to tell its faults apart by.
var parserSays = []struct{ says, instead, hint string }{
	{"mapping values are not allowed", "", `put a text that holds ": " in quotes, and check the indentation`},
	{"could not find expected ':'", "", "check the indentation, and that each key ends in a colon"},
	{"did not find expected comment or line break", "YAML takes a > or | that begins a value for a block of lines", "put the whole value in quotes"},
	{"block sequence entries are not allowed", "YAML takes a - that begins a value for a list", "put the whole value in quotes"},
	{"did not find expected key", "", "check the indentation, here and above, and quotes within quotes"},
	{"did not find expected '-' indicator", "", "check the indentation, here and above, and quotes within quotes"},
	{"did not find expected ','", "", "a { or [ is not closed, or a comma is missing"},
	{"found unexpected end of stream", "a text in quotes does not end", "close the quotes that are opened here or above"},
	{"expected single document", "a second document begins here", "take out the line --- and what follows it"},
	{"cannot start any token", "", "put a text that begins with @, ` or % in quotes"},
}

// bareReference is the column of the first ${ in a flow mapping or list of
// the line that stands in no quotes; 0 if there is none. A ${ that begins a
// plain value in a block is well-formed YAML.
func bareReference(line string) int {
	depth, quote, column := 0, rune(0), 0
	previous := ' '
	for _, c := range line {
		column++
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && strings.ContainsRune(" ,{[:", previous):
			quote = c
		case c == '#' && previous == ' ':
			return 0
		case c == '{' && previous == '$' && depth > 0:
			return column - 1
		case c == '{', c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			depth--
		}
		previous = c
	}
	return 0
}
