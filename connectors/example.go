package connectors

import (
	"strconv"
	"strings"

	"hookgate/internal/yamlnode"
)

// example is a connection of the kind and a rule for each of its actions, as
// they would stand in a config.yaml, made of the examples that its settings
// and inputs have.
func example(k *Kind) string {
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

// writeExample writes the keys of an action, in the shortest form that it has.
func (a *ActionDoc) writeExample(b *strings.Builder) {
	const beside, inside = "        ", "          "
	indent := inside
	switch {
	case a.Direct:
		indent = beside
	case a.Shorthand != "":
		indent = beside
		for _, in := range a.Inputs {
			if in.Name == a.Shorthand {
				b.WriteString(beside + a.Name + ": " + sampleOf(&in.Setting) + "\n")
			}
		}
	default:
		b.WriteString(beside + a.Name + ":\n")
	}
	for _, in := range a.Inputs {
		if in.Example != "" && (in.Name != a.Shorthand || a.Direct) {
			b.WriteString(indent + in.Name + ": " + sampleOf(&in.Setting) + "\n")
		}
	}
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

// plainExample is the example of a kind written in Go, whose actions are not
// described one by one; where there is none, its connection alone.
func plainExample(k *Kind) string {
	actions := map[string]string{
		"nats":    "        subject: site.leads\n        json: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }\n",
		"kafka":   "        topic: site-leads\n        key: ${{ data.id }}\n        json: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }\n",
		"amqp":    "        routing_key: site.leads\n        json: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }\n",
		"webhook": "        json: { id: \"${{ data.id }}\", name: \"${{ data.name }}\" }\n",
		"slack":   "        text: New lead from ${{ data.name }}\n",
		"email":   "        recipient: team@agency.example\n        subject: New lead from ${{ data.name }}\n        text: ${{ data.message }}\n",
	}
	settings := map[string]string{"slack": "    webhook_url: ${SLACK_WEBHOOK_URL}\n"}
	text := strings.TrimSuffix(example(k), "rules:\n") + settings[k.Name]
	if action := actions[k.Name]; action != "" {
		text += "rules:\n  - name: new-lead\n    from: contact\n    then:\n      - to: " + k.Name + "\n" + action
	}
	return text
}
