package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"hookgate/rules"
)

// Difference is one value that is sent otherwise.
type Difference struct {
	Path string `json:"path"`           // json.website_id, or ordering_key
	Now  string `json:"now,omitempty"`  // as JSON, cut where it is long; "" where there is none
	Then string `json:"then,omitempty"` // the same
}

const (
	// maxDifferences is how many values of one delivery are told.
	maxDifferences = 8
	// maxValue is how much of a value is shown, in characters, and lead how
	// much of it stands before the place where two long ones part.
	maxValue = 72
	lead     = 16
)

// differences are the values in which two deliveries differ; none where they
// are the same to a receiver.
func differences(now, then *rules.Rendered) []Difference {
	d := &differ{}
	if now.Key != then.Key {
		d.add("ordering_key", textOrNothing(now.Key), textOrNothing(then.Key))
	}
	if now.Err != then.Err {
		d.add("error", textOrNothing(now.Err), textOrNothing(then.Err))
	}
	if a, b := momentText(now), momentText(then); a != b {
		d.add("moment", textOrNothing(a), textOrNothing(b))
	}
	if a, b := now.Joining.Words(), then.Joining.Words(); a != b {
		d.add("digest", textOrNothing(a), textOrNothing(b))
	}
	d.values("", decode(now.Output), decode(then.Output))
	return d.list
}

// momentText is when a delivery begins, and what that comes from; "": at once.
func momentText(r *rules.Rendered) string {
	if r.Wait == nil {
		return ""
	}
	return r.Moment.Format("2006-01-02 15:04:05") + ": " + r.Wait.Words()
}

type differ struct{ list []Difference }

// nothing stands for a value that is not there; null is one that is.
type nothing struct{}

func textOrNothing(text string) any {
	if text == "" {
		return nothing{}
	}
	return text
}

// decode reads an output; numbers keep their digits.
func decode(output []byte) any {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return string(output)
	}
	return v
}

func (d *differ) add(path string, now, then any) {
	if len(d.list) == maxDifferences {
		return
	}
	a, b := brief(now, then)
	d.list = append(d.list, Difference{Path: path, Now: a, Then: b})
}

func (d *differ) values(path string, now, then any) {
	switch now := now.(type) {
	case map[string]any:
		if then, ok := then.(map[string]any); ok {
			d.objects(path, now, then)
			return
		}
	case []any:
		if then, ok := then.([]any); ok {
			d.lists(path, now, then)
			return
		}
	default:
		if scalar(now) && scalar(then) && now == then {
			return
		}
	}
	d.add(path, now, then)
}

func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func (d *differ) objects(path string, now, then map[string]any) {
	keys := slices.Collect(maps.Keys(now))
	for key := range then {
		if _, both := now[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		below := key
		if path != "" {
			below = path + "." + key
		}
		a, ok := now[key]
		if !ok {
			a = nothing{}
		}
		b, ok := then[key]
		if !ok {
			b = nothing{}
		}
		d.values(below, a, b)
	}
}

func (d *differ) lists(path string, now, then []any) {
	for i := range max(len(now), len(then)) {
		a, b := any(nothing{}), any(nothing{})
		if i < len(now) {
			a = now[i]
		}
		if i < len(then) {
			b = then[i]
		}
		d.values(fmt.Sprintf("%s[%d]", path, i), a, b)
	}
}

// brief writes two values as JSON, short enough for a line. Long ones show the
// place where they part.
func brief(now, then any) (a, b string) {
	x, y := []rune(asJSON(now)), []rune(asJSON(then))
	from := 0
	for from < len(x) && from < len(y) && x[from] == y[from] {
		from++
	}
	from = max(0, from-lead)
	if len(x) <= maxValue && len(y) <= maxValue {
		from = 0
	}
	return cut(x, from), cut(y, from)
}

func cut(text []rune, from int) string {
	if from >= len(text) {
		return string(text)
	}
	out := string(text[from:min(len(text), from+maxValue)])
	if from > 0 {
		out = "…" + out
	}
	if from+maxValue < len(text) {
		out += "…"
	}
	return out
}

func asJSON(v any) string {
	if _, none := v.(nothing); none {
		return ""
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
