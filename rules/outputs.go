package rules

import (
	"encoding/json"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
)

// OutputsOf makes outputs of plain data, as those of an answer are: lists and objects are
// texts, long texts are cut, and what is null is left out.
func OutputsOf(values map[string]any) map[string]event.Output {
	out := make(map[string]event.Output, len(values))
	for name, value := range values {
		text, isText := value.(string)
		if !isText {
			written, err := json.Marshal(value)
			switch {
			case value == nil || err != nil:
				continue
			case written[0] != '{' && written[0] != '[':
				out[name] = event.ScalarOutput(string(written))
				continue
			}
			text = string(written)
		}
		out[name] = event.TextOutput(event.CutOutput(text))
	}
	return out
}

// OutputValues are outputs as expressions see them.
func OutputValues(outputs map[string]event.Output) map[string]any {
	values := make(map[string]any, len(outputs))
	for name, o := range outputs {
		doc, err := jsondoc.Parse([]byte(o))
		if err != nil { // nothing stores it
			values[name] = o.String()
			continue
		}
		values[name] = doc.Value()
		doc.Release()
	}
	return values
}
