package config

import (
	"slices"
	"strings"

	"hookgate/internal/diag"
)

// withoutEchoes takes out what says once more what another error says: that a
// key is missing where it stands misspelt, and whatever follows from a key
// that stands twice.
func withoutEchoes(list diag.List) diag.List {
	misspelt := map[string][]string{} // hints at keys, by the path of what holds them
	twice := map[string]bool{}        // the paths of keys
	for _, d := range list {
		switch d.Code {
		case "unknown-key":
			misspelt[parent(d.Path)] = append(misspelt[parent(d.Path)], d.Hint)
		case "duplicate-key":
			twice[d.Path] = true
		}
	}
	if len(misspelt) == 0 && len(twice) == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
		switch {
		case d.Severity != diag.Error || d.Code == "duplicate-key":
			return false
		case d.Code == "missing-key":
			return slices.ContainsFunc(misspelt[d.Path], func(hint string) bool { return asksFor(d.Message, quoted(hint)) })
		}
		return twice[d.Path] && d.Code == "bad-name"
	})
}

// parent is the path of what holds the key at path.
func parent(path string) string { return path[:max(strings.LastIndexByte(path, '.'), 0)] }

// quoted is the first text in quotes of a hint; "" if there is none.
func quoted(hint string) string {
	_, rest, _ := strings.Cut(hint, `"`)
	word, _, closed := strings.Cut(rest, `"`)
	if !closed {
		return ""
	}
	return word
}

// asksFor reports whether the message names the key among those that are
// needed.
func asksFor(message, key string) bool {
	_, needed, _ := strings.Cut(message, " needs ")
	return key != "" && slices.Contains(strings.FieldsFunc(needed, func(c rune) bool { return c == ' ' || c == ',' || c == '"' }), key)
}
