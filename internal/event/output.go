package event

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Output is one value that a receiver answered, as JSON writes it: a text, a number, or
// true or false. The zero value is the empty text.
type Output string

// maxOutput bounds a text that a receiver answered, in characters.
const maxOutput = 1000

// CutOutput is a text of a length that people can read.
func CutOutput(text string) string {
	if runes := []rune(text); len(runes) > maxOutput {
		return string(runes[:maxOutput]) + "…"
	}
	return text
}

// TextOutput is the output that is a text.
func TextOutput(text string) Output {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always has a form in JSON
	return Output(bytes.TrimSpace(out.Bytes()))
}

// TextOutputs are outputs that are all texts.
func TextOutputs(texts map[string]string) map[string]Output {
	out := make(map[string]Output, len(texts))
	for name, text := range texts {
		out[name] = TextOutput(text)
	}
	return out
}

// ScalarOutput is the output that is a number, or true or false, as JSON writes it.
func ScalarOutput(written string) Output { return Output(written) }

// IsText reports whether it is a text.
func (o Output) IsText() bool { return o == "" || o[0] == '"' }

// String is the value for people: a text without its quotes.
func (o Output) String() string {
	var text string
	if o.IsText() && json.Unmarshal([]byte(o), &text) == nil {
		return text
	}
	return string(o)
}

// MarshalJSON writes it as it is.
func (o Output) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte(`""`), nil
	}
	return []byte(o), nil
}

var errOutput = errors.New("an output is a text, a number, or true or false")

// UnmarshalJSON implements json.Unmarshaler.
func (o *Output) UnmarshalJSON(text []byte) error {
	switch text = bytes.TrimSpace(text); {
	case string(text) == "null":
		return nil
	case len(text) == 0 || text[0] == '{' || text[0] == '[':
		return errOutput
	}
	*o = Output(text)
	return nil
}
