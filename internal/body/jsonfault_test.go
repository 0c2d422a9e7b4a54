package body_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hookgate/internal/body"
)

func TestJSONFaults(t *testing.T) {
	t.Parallel()
	const unquoted = "text needs double quotes around it; without them stand only true, false and null"
	tests := []struct{ text, at, want string }{
		{"{\"a\":1\n \"b\":2}", "2:2", "a comma is missing after the number"},
		{`{"a":"x" "b":2}`, "1:10", "a comma is missing after the text"},
		{`{"a":true "b":2}`, "1:11", "a comma is missing after true"},
		{`[[1] [2]]`, "1:6", `a comma is missing after "]"`},
		{`{"a":1,}`, "1:7", `there is a comma too many before "}"`},
		{`[1,2,]`, "1:5", `there is a comma too many before "]"`},
		{`[1,,2]`, "1:4", "invalid character ',' looking for beginning of value"},
		{`[,1]`, "1:2", "invalid character ',' looking for beginning of value"},
		{`{,}`, "1:2", "invalid character ',' looking for beginning of object key string"},
		{`{'a':1}`, "1:2", "text needs double quotes, not single ones"},
		{`{"a":'b'}`, "1:6", "text needs double quotes, not single ones"},
		{`{“a”:1}`, "1:2", `text needs straight double quotes, like "this"`},
		{`{a:1}`, "1:2", "a key needs double quotes around it"},
		{`{1:1}`, "1:2", "a key needs double quotes around it"},
		{`{"a":b}`, "1:6", unquoted},
		{"{\n// x\n\"a\":1}", "2:1", "JSON has no comments"},
		{`{"a":1 /* x */}`, "1:8", "JSON has no comments"},
		{`{"a": # x`, "1:7", "JSON has no comments"},
		{`{"a" // x`, "1:6", "JSON has no comments"},
		{"{\n\"a\":{", "2:6", "the text ends inside the object that starts in line 2"},
		{`[1,`, "1:4", "the text ends inside the list that starts in line 1"},
		{`{"a`, "1:4", "the text ends inside the text that starts in line 1"},
		{`{"a\`, "1:5", "the text ends inside the text that starts in line 1"},
		{`{"a"`, "1:5", "the text ends inside the object that starts in line 1"},
		{`{"a":`, "1:6", "the text ends inside the object that starts in line 1"},
		{`{"a":1}{"a":2}`, "1:8", "invalid character '{' after top-level value"},
		{`{"a":1}}`, "1:8", "invalid character '}' after top-level value"},
		{`{"a":1},`, "1:8", "invalid character ',' after top-level value"},
		{`{"a":1} x`, "1:9", "invalid character 'x' after top-level value"},
		{"\"a\nb\"", "1:3", `a text ends with its line: its closing quote is missing, or the line break must be written \n`},
		{"\"a\tb\"", "1:3", `invalid character '\t' in string literal`},
		{"\"ä\x01b\"", "1:3", `invalid character '\x01' in string literal`},
		{`{"a":NaN}`, "1:6", unquoted},
		{`{"a":-Infinity}`, "1:7", "invalid character 'I' in numeric literal"},
		{`{"a":True}`, "1:6", unquoted},
		{`{"a":None}`, "1:6", unquoted},
		{`{"a":undefined}`, "1:6", unquoted},
		{`{"a":01}`, "1:7", "invalid character '1' after object key:value pair"},
		{`{"a":0x1}`, "1:7", "invalid character 'x' after object key:value pair"},
		{`{"a":+1}`, "1:6", "invalid character '+' looking for beginning of value"},
		{`{"a":.5}`, "1:6", "invalid character '.' looking for beginning of value"},
		{`{"a":1.}`, "1:8", "invalid character '}' after decimal point in numeric literal"},
		{`{"a":1e}`, "1:8", "invalid character '}' in exponent of numeric literal"},
		{`{"a":-}`, "1:7", "invalid character '}' in numeric literal"},
		{`{"a" 1}`, "1:6", "a colon is missing after the key"},
		{`{"a":}`, "1:6", "invalid character '}' looking for beginning of value"},
		{`{:1}`, "1:2", "invalid character ':' looking for beginning of object key string"},
		{`["a":1]`, "1:5", "invalid character ':' after array element"},
		{"[\n{\"a\":1]", "2:7", "invalid character ']' after object key:value pair"},
		{`{"a":[1}}`, "1:8", "invalid character '}' after array element"},
		{`{]`, "1:2", "invalid character ']' looking for beginning of object key string"},
		{`[}`, "1:2", "invalid character '}' looking for beginning of value"},
		{`{"a":"\x"}`, "1:8", "invalid character 'x' in string escape code"},
		{`{"a":"\u12g4"}`, "1:11", `invalid character 'g' in \u hexadecimal character escape`},
		{`<html>`, "1:1", "this is XML or HTML"},
		{`hello`, "1:1", unquoted},
		{`{"a":?}`, "1:6", "invalid character '?' looking for beginning of value"},
	}
	for _, tt := range tests {
		fault := MustFail(t, body.Input{ContentType: "application/json", Raw: []byte(tt.text)})
		line, column, _ := strings.Cut(tt.at, ":")
		want := "invalid JSON at line " + line + ", column " + column + ": " + tt.want
		if fault.Message != want || fault.Status != 400 {
			t.Errorf("%q\n got %d %s\nwant 400 %s", tt.text, fault.Status, fault.Message, want)
		}
	}
}

// What the parser takes is what encoding/json takes, and where it takes nothing
// there is a place.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"{", "}", "[", "]", ",", ":", `"a"`, `"`, "1", "-", "0", ".5", "e3", "true", "nul", " ", "\n", `\`, `\u00e4`, "ä", "'", "//", "NaN", "{}", `"b":2`,
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 1, 12).Draw(t, "text"), "")
		checkJSON(t, []byte(text))
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func checkJSON(t fataler, text []byte) {
	c, err := decode(body.Input{ContentType: "application/json", Raw: text})
	if err == nil {
		defer c.Doc.Release()
		if !json.Valid(c.JSON) {
			t.Fatalf("%q was taken: %s", text, c.JSON)
		}
		return
	}
	var fault *body.Error
	if !errors.As(err, &fault) {
		t.Fatalf("%q: %T", text, err)
	}
	if fault.Status == 400 && (fault.Line < 1 || fault.Column < 1) && !strings.HasPrefix(string(text), "\xff\xfe") && !strings.HasPrefix(string(text), "\xfe\xff") {
		t.Fatalf("%q: no place in %q", text, fault.Message)
	}
	if json.Valid(text) && fault.Status == 400 && !strings.Contains(fault.Message, "deeper") && !strings.Contains(fault.Message, "UTF-8") {
		t.Fatalf("%q was refused: %s", text, fault.Message)
	}
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,"ä\n",null,true]}`, `{"a":1,}`, `{'a':1}`, "{\"a\":\"\xfc\"}", "\xff\xfe{\x00}\x00", `[[[[`, `"\ud800"`, `{"a":1} //`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		checkJSON(t, text)
		checkDecode(t, body.Input{ContentType: "text/plain; charset=utf-16", Raw: text})
		checkDecode(t, body.Input{Raw: text})
		checkDecode(t, body.Input{ContentEncoding: "deflate", Raw: text})
	})
}
