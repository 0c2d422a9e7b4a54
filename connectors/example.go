package connectors

import (
	"strconv"
	"strings"

	"hookgate/internal/yamlnode"
)

// Example is a connection of the kind and a rule for each of its actions, as
// they would stand in a config.yaml, made of the examples that its settings
// and inputs have.
func Example(k *Kind) string {
	var b strings.Builder
	name := strings.ReplaceAll(k.Name, "_", "-")
	b.WriteString("connections:\n  " + name + ":\n    type: " + k.Name + "\n")
	for _, s := range k.Settings {
		if s.Required {
			b.WriteString("    " + s.Name + ": " + sampleOf(&s) + "\n")
		}
	}
	b.WriteString("rules:\n")
	for i := range k.Actions {
		a := &k.Actions[i]
		b.WriteString("  - name: " + strings.ReplaceAll(a.Name, "_", "-") + "\n    from: contact\n    then:\n      - to: " + name + "\n")
		a.writeExample(&b)
	}
	return b.String()
}

// sampleOf is the example of a setting or input as YAML.
func sampleOf(s *Setting) string {
	switch s.Type {
	case yamlnode.TextType, yamlnode.EnumType:
		return inBlock(s.Example)
	default:
		return s.Example
	}
}

// inBlock is a text as YAML has it behind a key on a line of its own.
func inBlock(text string) string {
	template := strings.HasPrefix(text, "${") && !strings.Contains(text, ": ") && !strings.Contains(text, " #")
	word := text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@ -") == "" &&
		!strings.Contains(text, ": ") && !strings.HasPrefix(text, "-") && text == strings.TrimSpace(text)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		word = false
	}
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		word = false
	}
	if template || word {
		return text
	}
	return strconv.Quote(text)
}

// ExampleOf is the example of a kind written in Go, whose actions are not
// described one by one: settings are those of a connection beside the required
// ones, action the keys of an action to it; both are whole lines of YAML.
func ExampleOf(k *Kind, settings, action string) string {
	indented := func(text, indent string) string { return indent + strings.ReplaceAll(text, "\n", "\n"+indent) + "\n" }
	text := strings.TrimSuffix(Example(k), "rules:\n")
	if settings != "" {
		text += indented(settings, "    ")
	}
	return text + "rules:\n  - name: new-lead\n    from: contact\n    then:\n      - to: " + k.Name + "\n" + indented(action, "        ")
}
