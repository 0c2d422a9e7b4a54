package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hookgate/internal/jsondoc"
	"hookgate/test/drawn"
)

const sample = `{"event": "created", "website": {"id": 321654, "big": 9007199254740993, "due_date": null, "price": 1e6}, "items": [{"n": 1, "ok": true}], "f": 1.5, "s": "first", "s": "last"}`

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                          "unexpected end",
		`{`:                         "unexpected end",
		`{"a":1}x`:                  "invalid character 'x' after top-level value",
		`{"a":1} {}`:                "after top-level value",
		"{\"a\":1\n\"b\":2}":        "after object key:value pair",
		`[1,]`:                      "invalid character",
		`nan`:                       "invalid character",
		`01`:                        "invalid character",
		`"\x"`:                      "invalid character",
		"\"\x01\"":                  "invalid character",
		strings.Repeat("[", 10<<20): "it nests deeper than 64 levels", // the validator would overflow the stack
		strings.Repeat("[", 65) + "1" + strings.Repeat("]", 65):     "it nests deeper than 64 levels",
		strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65): "it nests deeper than 64 levels",
		strings.Repeat("[", 100_000):                                "",
		"[" + strings.Repeat("1,", 200_000) + "1]":                  "more than 200000 values",
	} {
		_, err := jsondoc.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{
		strings.Repeat("[", 64) + strings.Repeat("]", 64), `"` + strings.Repeat(`[{,\"`, 60_000) + `"`, " [1 , 2]\n", "[" + strings.Repeat(`"[",`, 100) + "1]",
	} {
		doc, err := jsondoc.Parse([]byte(text))
		if err != nil {
			t.Errorf("%.40s: %v", text, err)
		}
		doc.Release()
	}
}

// With any one byte of a text changed, or the text cut there, hookgate takes it
// just when encoding/json does.
func TestParse_everyByte(t *testing.T) {
	t.Parallel()
	const text = ` {"key" :[-0.5e+7, 1E-2,true ,false,null,"", {}, [ ]],"a \ud83d\ude00 \"quoted\" and longer ä": "\u00e4\n\\"}` + "\r\n\t "
	for i := range len(text) {
		cut := []byte(text[:i])
		if doc, err := jsondoc.Parse(cut); (err == nil) != json.Valid(cut) {
			t.Errorf("%s: %v", cut, err)
		} else {
			doc.Release()
		}
		for c := range 256 {
			changed := []byte(text)
			changed[i] = byte(c)
			if doc, err := jsondoc.Parse(changed); (err == nil) != json.Valid(changed) {
				t.Errorf("%s: %v", changed, err)
			} else {
				doc.Release()
			}
		}
	}
}

func TestParse_offset(t *testing.T) {
	t.Parallel()
	_, err := jsondoc.Parse([]byte("{\"a\":1\n\"b\":2}"))
	syntax, ok := err.(*jsondoc.SyntaxError) //nolint:errorlint // the contract is the type itself
	if !ok || syntax.Offset != 7 {
		t.Errorf("got %#v, want offset 7", err)
	}
}

func TestDoc_Lookup(t *testing.T) {
	t.Parallel()
	doc, err := jsondoc.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Release()
	if v, ok := doc.Lookup("website", "id"); !ok || v != 321654 {
		t.Errorf("got %v, %v", v, ok)
	}
	if v, ok := doc.Lookup("website", "due_date"); !ok || v != nil {
		t.Errorf("null: got %v, %v", v, ok)
	}
	for _, path := range [][]string{{"nothing"}, {"event", "x"}, {"items", "0"}} {
		if v, ok := doc.Lookup(path...); ok {
			t.Errorf("%v: got %v", path, v)
		}
	}
	var none *jsondoc.Doc
	none.Release()
	if v, ok := none.Lookup("a"); ok || v != nil || none.Value() != nil {
		t.Errorf("a nil Doc has %v", v)
	}
}

// Decoding must agree with encoding/json, numbers as documented.
func TestParse_agrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { compareJSON(t, drawn.JSON(4).Draw(t, "json")) })
}

func compareJSON(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	doc, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer doc.Release()
	if got := doc.Value(); !same(want, got) {
		t.Fatalf("%s: got %#v, want %#v", text, got, want)
	}
	var back any
	decoder = json.NewDecoder(bytes.NewReader(jsondoc.AppendValue(nil, doc.Root())))
	decoder.UseNumber()
	if err := decoder.Decode(&back); err != nil || !reflect.DeepEqual(want, back) {
		t.Fatalf("%s: written as %#v, %v, want %#v", text, back, err, want)
	}
}

// same compares what encoding/json decoded, with its numbers as text, to ours.
func same(want, got any) bool {
	switch w := want.(type) {
	case json.Number: // whatever it became, it is written as it came
		switch g := got.(type) {
		case int:
			return fmt.Sprint(g) == w.String()
		case float64:
			return string(jsondoc.AppendFloat(nil, g)) == w.String()
		}
		return want == got
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(w[i], g[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if !same(w[k], g[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, got)
}

// FuzzParse: hookgate and encoding/json understand the same texts alike.
func FuzzParse(f *testing.F) {
	for _, s := range []string{sample, `"\ud83d\ude00 \ud800 \udc00\ud800"`, `{"\u0061":1,"a":-0}`, `[1e999,-1E-5,0.10]`, "\"\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := jsondoc.Parse([]byte(text))
		doc.Release()
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is not JSON", text)
		}
		compareJSON(t, text)
	})
}

// What is passed on keeps the order of its keys and the characters of its
// numbers; of a key that stands twice the last value counts.
func TestAppendValue(t *testing.T) {
	t.Parallel()
	many := strings.Builder{}
	for i := range 100 {
		fmt.Fprintf(&many, `"k%d":%d,`, i%99, i)
	}
	for text, want := range map[string]string{
		`{"b": 1.0, "a": [1e308, -0, 1E+2], "c": {}}`: `{"b":1.0,"a":[1e308,-0,1E+2],"c":{}}`,
		`{"a": 1, "b": 2, "\u0061": 3}`:               `{"b":2,"a":3}`,
		"[\"\xff\\u00e4\\ud800/\\/\"]":                "[\"\ufffdä\ufffd//\"]",
		`12345678901234567890.123456789`:              `12345678901234567890.123456789`,
		` null `:                                      `null`,
	} {
		doc, err := jsondoc.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := string(jsondoc.AppendValue(nil, doc.Root())); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		doc.Release()
	}
	doc, err := jsondoc.Parse([]byte("{" + strings.TrimSuffix(many.String(), ",") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Release()
	if got := string(jsondoc.AppendValue(nil, doc.Root())); strings.Count(got, ":") != 99 || !strings.HasSuffix(got, `"k98":98,"k0":99}`) {
		t.Errorf("got %s", got)
	}
}

// What is computed with is a number; what none can hold stays as it is.
func TestCompute(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`1.0`: 1.0, `-0`: 0, `1e3`: 1000.0, `1e308`: 1e308, `1e-400`: json.Number("1e-400"), `1e400`: json.Number("1e400"), `0e5`: 0.0,
		`18446744073709551616`: json.Number("18446744073709551616"), `[1.50, "1.50"]`: []any{1.5, "1.50"}, `{"a": [7.0]}`: map[string]any{"a": []any{7.0}},
	} {
		doc, err := jsondoc.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		value := doc.Value()
		if got := jsondoc.Compute(value); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
		if !reflect.DeepEqual(value, doc.Value()) {
			t.Errorf("%s: what was given is changed", text)
		}
		doc.Release()
	}
}
