package config

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"hookgate/internal/diag"
)

// errUTF16 is about a text that Windows wrote as "Unicode".
var errUTF16 = errors.New("it is UTF-16: save it as UTF-8")

// decodeText is the text of a file of values, without the byte order mark that
// some editors write before UTF-8.
func decodeText(content []byte) (string, error) {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return "", errUTF16
	}
	return strings.TrimPrefix(string(content), "\uFEFF"), nil
}

// readDotenv reads the .env file beside the config file, where there is one. No
// message repeats what stands in the file.
func (e *environment) readDotenv() {
	path := filepath.Join(e.folder, ".env")
	content, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	fault := diag.Diagnostic{Severity: diag.Error, Code: "env-file", Position: diag.Position{File: path}}
	text := ""
	if err == nil {
		e.checkMode(path, path)
		text, err = decodeText(content)
	}
	if err != nil {
		fault.Message = "the file can't be read: " + reason(err)
		e.list = append(e.list, fault)
		return
	}
	// The library's errors repeat the text of the file: they are not passed on.
	if e.dotenv, err = godotenv.Unmarshal(text); err != nil {
		fault.Line, fault.Column, fault.Width = badLine(text), 1, 1
		fault.Message = "this is not a line of the form NAME=value"
		fault.Hint = "put a value with spaces, quotes, # or $ in single quotes"
		e.list = append(e.list, fault)
		return
	}
	for _, name := range unsetInDotenv(text, e.dotenv) {
		fault.Line, fault.Column, fault.Width = max(1, lineOf(text, name)), 1, 1
		fault.Message = "in the value of " + name + " a $ stands before what is no variable of the lines above, so that a part of the value would be lost"
		fault.Hint = "put the value in single quotes: " + name + "='...'"
		e.list = append(e.list, fault)
		delete(e.dotenv, name) // half a secret is none
		e.spoilt[name] = true
	}
}

// badLine is the number of the line from which on text can't be read; 0 in
// one that is too long to look for it.
func badLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	good := 0
	if len(lines) > 1000 {
		return 0
	}
	for i := range lines {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:i+1], "")); err == nil {
			good = i + 1
		}
	}
	return min(good+1, len(lines))
}

// standIn is put in the place of each $ to see a value as it is written. It is
// a sign for private use, which no value has.
const standIn = "\uF8FE"

// variable is what the library replaces in a value, with all of the name as
// people read it: it takes $Word for $W and "ord".
var variable = regexp.MustCompile(standIn + `\{?([A-Za-z0-9_]+)`)

// unsetInDotenv are the names, sorted, of the values in which the library put
// nothing, or something else than is written, for a $NAME: one that no line
// above sets.
func unsetInDotenv(text string, values map[string]string) []string {
	written, err := godotenv.Unmarshal(strings.ReplaceAll(text, "$", standIn))
	if err != nil {
		return nil // a $ in a name: the library has refused that already
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if strings.ReplaceAll(written[name], standIn, "$") == values[name] {
			continue // nothing was replaced, as in single quotes
		}
		line := lineOf(text, name)
		for _, m := range variable.FindAllStringSubmatch(written[name], -1) {
			if above := lineOf(text, m[1]); above == 0 || above >= line {
				list = append(list, name)
				break
			}
		}
	}
	return list
}

// lineOf is the number of the last line that sets the variable; 0 if none does.
func lineOf(text, name string) int {
	set := regexp.MustCompile(`(?m)^\s*(?:export\s+)?` + regexp.QuoteMeta(name) + `\s*[=:]`)
	all := set.FindAllStringIndex(text, -1)
	if len(all) == 0 {
		return 0
	}
	last := all[len(all)-1]
	return 1 + strings.Count(text[:last[1]], "\n")
}
