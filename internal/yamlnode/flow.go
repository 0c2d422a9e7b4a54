package yamlnode

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Flow is the value as YAML in one line.
func (n Node) Flow() string {
	switch n.Kind() {
	case Map:
		parts := make([]string, 0, len(n.Fields()))
		for _, f := range n.Fields() {
			parts = append(parts, Quote(f.Key.Value)+": "+f.Value.Flow())
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case List:
		parts := make([]string, 0, len(n.Items()))
		for _, item := range n.Items() {
			parts = append(parts, item.Flow())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Scalar:
		if _, isText := n.Any().(string); isText {
			return Quote(n.Text().Value)
		}
		return n.Text().Value
	case Null:
	}
	return "null"
}

// Quote is a text as YAML has it anywhere in a line, as a key too: in quotes
// where it would mean something else without, or look as if.
func Quote(text string) string {
	plain := !strings.ContainsAny(text, "{}[],&*#?|<>=!%@`\"'\\\n\t") && !yesOrNo(text)
	var read []any
	if plain && yaml.Unmarshal([]byte("["+text+"]"), &read) == nil && len(read) == 1 && read[0] == text {
		return text
	}
	return strconv.Quote(text)
}

// yesOrNo reports whether older readers of YAML take the text for true or false.
func yesOrNo(text string) bool {
	switch strings.ToLower(text) {
	case "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}
