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
	tests := []struct{ text, at, want string }{
		{"{\"a\":1\n \"b\":2}", "2:2", "a comma is missing after the number"},
		{`{"a":"x" "b":2}`, "1:10", "a comma is missing after the text"},
		{`{"a":true "b":2}`, "1:11", "a comma is missing after true"},
		{`[[1] [2]]`, "1:6", `a comma is missing after "]"`},
		{`{"a":1,}`, "1:7", `there is a comma too many before "}"`},
		{`[1,2,]`, "1:5", `there is a comma too many before "]"`},
		{`[1,,2]`, "1:4", "there is a comma too many"},
		{`[,1]`, "1:2", "there is a comma too many"},
		{`{,}`, "1:2", "there is a comma too many"},
		{`{'a':1}`, "1:2", "text needs double quotes, not single ones"},
		{`{"a":'b'}`, "1:6", "text needs double quotes, not single ones"},
		{`{“a”:1}`, "1:2", `text needs straight double quotes, like "this"`},
		{`{a:1}`, "1:2", "a key needs double quotes around it"},
		{`{1:1}`, "1:2", "a key needs double quotes around it"},
		{`{"a":b}`, "1:6", "text needs double quotes around it"},
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
		{`{"a":1}{"a":2}`, "1:8", "a second value stands after the first one"},
		{`{"a":1}}`, "1:8", `there is a "}" too many`},
		{`{"a":1},`, "1:8", "there is a comma after the end"},
		{`{"a":1} x`, "1:9", "there is more text after the end of the value"},
		{"\"a\nb\"", "1:3", `a text ends with its line: its closing quote is missing, or the line break must be written \n`},
		{"\"a\tb\"", "1:3", `a tab inside a text must be written \t`},
		{"\"ä\x01b\"", "1:3", `the control character U+0001 inside a text must be written \u0001`},
		{`{"a":NaN}`, "1:6", "NaN is not JSON: write null"},
		{`{"a":-Infinity}`, "1:6", "Infinity is no number of JSON: write null"},
		{`{"a":True}`, "1:6", "True is not JSON: write true"},
		{`{"a":None}`, "1:6", "None is not JSON: write null"},
		{`{"a":undefined}`, "1:6", "undefined is not JSON: write null"},
		{`{"a":01}`, "1:6", "a number must not start with 0"},
		{`{"a":0x1}`, "1:6", "a number must be decimal"},
		{`{"a":+1}`, "1:6", "a number must not start with +"},
		{`{"a":.5}`, "1:6", "a digit is missing before the decimal point"},
		{`{"a":1.}`, "1:8", "a digit is missing after the decimal point"},
		{`{"a":1e}`, "1:8", "a digit is missing after the e of a number"},
		{`{"a":-}`, "1:7", "a digit is missing in a number"},
		{`{"a" 1}`, "1:6", "a colon is missing after the key"},
		{`{"a":}`, "1:6", "a value is missing after the colon"},
		{`{:1}`, "1:2", "a key is missing"},
		{`["a":1]`, "1:5", `a list has no keys: write { } around "key": value`},
		{"[\n{\"a\":1]", "2:7", `"]" cannot close the object that starts in line 2: "}" is expected`},
		{`{"a":[1}}`, "1:8", `"}" cannot close the list that starts in line 1: "]" is expected`},
		{`{]`, "1:2", `"]" cannot close an object: "}" is expected`},
		{`[}`, "1:2", `a value is missing before "}"`},
		{`{"a":"\x"}`, "1:7", `a backslash inside a text must be written \\ unless it starts one of \" \\ \/ \b \f \n \r \t \u`},
		{`{"a":"\u12g4"}`, "1:7", `\u needs four hexadecimal digits`},
		{`<html>`, "1:1", "this is XML or HTML"},
		{`hello`, "1:1", "this is no JSON value"},
		{`{"a":?}`, "1:6", "a value is missing"},
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

// What the fast parser takes is what encoding/json takes, and where it takes
// nothing the scanner finds a place.
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
