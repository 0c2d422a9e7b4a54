package trace

import (
	"encoding/json"
	"strconv"
	"strings"

	"hookgate/app/cli/term"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
)

// maxLines is how many lines of one text of an output are shown.
const maxLines = 20

// action are the lines of one action: where it goes to, and what would be
// sent, or why nothing.
func (v View) action(a *rules.ActionTrace, failed bool, connections int) []line {
	lines := v.fate(a, failed, "→ "+term.Pad(label(*a), connections)+"  ")
	if lines == nil {
		return nil
	}
	if (v.Outputs || a.Remember != nil) && a.After != "" && !failed {
		lines = append(lines, line{depth: 1, lead: "↳ ", text: a.After, tone: dim})
	}
	if a.Asked {
		lines = append(lines, line{depth: 1, text: "its own condition is asked then", tone: dim})
	}
	if a.Moment != nil && a.Sent && a.Err == "" && !failed {
		lines = append(lines, line{depth: 1, lead: "◷ ", text: a.Moment.Format("Mon 2 Jan 2006 15:04") + wordsOf(a.Wait)})
	}
	lines = append(lines, partLines(a.Parts, 1)...)
	if v.Keys && a.Key != "" {
		lines = append(lines, line{depth: 1, text: "ordering key: " + a.Key, tone: dim})
	}
	if v.Outputs && a.Digest != nil && a.Sent && !failed {
		lines = append(lines, line{depth: 1, lead: "⊞ ", text: joins(a.Digest)})
	}
	if v.Outputs && a.Throttle != "" {
		lines = append(lines, line{depth: 1, text: a.Throttle, tone: dim})
	}
	for _, w := range a.Warnings {
		if a.Sent && v.Outputs && !strings.Contains(a.Err, w) {
			lines = append(lines, line{depth: 1, lead: "! ", text: w})
		}
	}
	return lines
}

// fate says what becomes of an action; nil: there is nothing to say of it.
func (v View) fate(a *rules.ActionTrace, failed bool, lead string) []line {
	switch {
	case failed && hasError(a.Parts):
		return []line{{lead: lead, text: "its condition cannot be evaluated", tone: bad}}
	case failed:
		return nil
	case !a.Sent && a.Reason != "":
		return []line{{lead: lead, text: "not sent: " + a.Reason, tone: dim}}
	case !a.Sent && a.Err != "":
		return []line{{lead: lead, text: "not sent: " + a.Err, tone: dim}}
	case !a.Sent:
		return []line{{lead: lead, text: "not sent: its own condition is not met", tone: dim}}
	case a.Err != "" && a.Remember != nil:
		return []line{{lead: lead, text: "cannot be written: " + a.Err, tone: bad}}
	case a.Err != "":
		return []line{{lead: lead, text: "cannot be sent: " + a.Err, tone: bad}}
	case a.Remember != nil:
		return append([]line{}, rememberLines(lead, a.Remember)...)
	case v.Outputs:
		return append([]line{}, outputLines(lead, a.Output)...)
	case a.After != "" || a.Step != "":
		return []line{{lead: lead, text: a.After, tone: dim}}
	case len(a.Parts) == 0 && len(a.Warnings) == 0:
		return nil
	}
	return []line{{lead: lead, text: "its own condition is met", tone: dim}}
}

// joins says which digest an event joins: "joins "sales@…", 6 in it, closes 17:00".
func joins(d *rules.DigestTrace) string {
	text := "joins a digest"
	if d.Keyed {
		text = "joins " + strconv.Quote(d.Key)
	}
	switch {
	case d.Open != nil:
		text += ", " + strconv.Itoa(d.Events) + " in it, closes "
	default: // that is known where a server runs
		text += "; one that it opens closes "
	}
	text += d.At.Format("Mon 2 Jan 15:04:05") + ": " + d.Closes
	if d.Goes != nil {
		text += ", goes " + d.Goes.Format("Mon 2 Jan 15:04")
	}
	return text
}

// rememberLines show what becomes of a record.
func rememberLines(lead string, r *rules.RememberTrace) []line {
	what, fields := "set ", r.Set
	if r.Add != nil {
		what, fields = "add ", r.Add
	}
	change, err := json.Marshal(fields)
	if err != nil { // they are JSON
		return nil
	}
	lines := []line{{lead: lead, text: r.Table + " " + strconv.Quote(r.Key) + ": " + what + string(change)}}
	if r.After != nil {
		before := string(r.Before)
		if r.Before == nil {
			before = "nothing"
		}
		lines = append(lines, line{depth: 1, text: "it was " + before + ", and is " + string(r.After) + " then", tone: dim})
	}
	return lines
}

// outputLines show an output: the value alone where it has one key, else a
// line for each key.
func outputLines(lead string, output []byte) []line {
	doc, err := jsondoc.Parse(output)
	if err != nil {
		return []line{{lead: lead, text: string(output)}}
	}
	defer doc.Release()
	object := doc.Root()
	var lines []line
	hang := strings.Repeat(" ", term.Width(term.Clean(lead)))
	for key, value := range object.Fields() {
		name := ""
		if object.Len() > 1 {
			name = string(key) + ": "
		}
		for i, text := range valueLines(value) {
			before := hang
			if len(lines) == 0 {
				before = lead
			}
			if i == 0 {
				text = name + text
			} else if name != "" {
				text = "  " + text
			}
			lines = append(lines, line{lead: before, text: text})
		}
	}
	if len(lines) == 0 {
		return []line{{lead: lead, text: "{}"}}
	}
	return lines
}

// valueLines are a text's own lines, or JSON.
func valueLines(value jsondoc.Value) []string {
	if value.Kind() != jsondoc.String {
		return []string{string(jsondoc.AppendValue(nil, value))}
	}
	lines := strings.Split(strings.TrimRight(string(value.Text()), "\n"), "\n")
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], "…")
	}
	return lines
}

// wordsOf say what a moment comes from.
func wordsOf(w *event.Wait) string {
	if words := w.Words(); words != "" {
		return ": " + words
	}
	return ""
}
