package webhook_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"hookgate/connectors/webhook"
	"hookgate/internal/jsondoc"
)

// What is read without a decoder is what the decoder would have read, and the
// usual output is read without one: what nests deeper than a body may is not usual.
func FuzzSoleJSON(f *testing.F) {
	for _, seed := range []string{
		"", "1", "null", ` 1 `, "\n{ \"a\" : [1.50, null] }\t", `"}"`, "{}", "[]", "}", "{", `"`, "01", "1}", "{}}", `"\ud800"`, "\xff", "\"\xff\"", "\u00a01", "\v1",
		`1,"json":2`, `1,"method":"GET"`, `{},"query":{"a":1}`, `1}{"json":2`, `1}}`, "9007199254740993", `"Harry's <Diner> & Co"`, strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		f.Add(`{"json":` + seed + "}")
		f.Add(`{"JSON":` + seed + "}")
		f.Add(seed)
		f.Add(`{"json":` + seed)
	}
	f.Fuzz(func(t *testing.T, output string) {
		got, ok := webhook.SoleJSON([]byte(output))
		var keys map[string]json.RawMessage
		err := json.Unmarshal([]byte(output), &keys)
		want, given := keys["json"]
		switch {
		case ok && (err != nil || len(keys) != 1 || !given || !bytes.Equal(got, want)):
			t.Errorf("%q: got %q, the decoder gives %q, %v", output, got, keys, err)
		case !ok && given && jsondoc.Valid(want) && output == `{"json":`+string(want)+"}":
			t.Errorf("%q goes to the decoder", output)
		}
	})
}
