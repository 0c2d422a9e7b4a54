package recipe

import (
	"strconv"
	"strings"

	"hookgate/internal/yamlnode"
)

// flow writes a value as YAML in one line.
func flow(n yamlnode.Node) string {
	switch n.Kind() {
	case yamlnode.Map:
		var parts []string
		for _, f := range n.Fields() {
			parts = append(parts, quoted(f.Key.Value)+": "+flow(f.Value))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case yamlnode.List:
		var parts []string
		for _, item := range n.Items() {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yamlnode.Scalar:
		if _, isText := n.Any().(string); isText {
			return quoted(n.Text().Value)
		}
		return n.Text().Value
	case yamlnode.Null:
	}
	return "null"
}

// quoted is a text as YAML has it within a line: in quotes where it would mean
// something else without.
func quoted(text string) string {
	plain := text != "" && text == strings.TrimSpace(text) && !strings.ContainsAny(text, "{}[],&*#?|<>=!%@`\"'\\\n\t") &&
		!strings.Contains(text, ": ") && !strings.HasSuffix(text, ":") && !strings.HasPrefix(text, "-")
	if plain {
		switch strings.ToLower(text) {
		case "true", "false", "null", "yes", "no", "on", "off", "~", "y", "n":
			plain = false
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			plain = false
		}
	}
	if plain {
		return text
	}
	return strconv.Quote(text)
}
