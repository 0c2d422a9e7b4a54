package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/csv"
)

// Promise: T8.
func TestRow(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := csv.New(&b, ',')
	if err := w.Row("plain", `say "hi"`, "a,b", "two\nlines", nil, json.Number("-5"), true, " x"); err != nil {
		t.Fatal(err)
	}
	if err := w.Row("=1+1", "+49 40", "-5", "@SUM(A1)", "\tx", "\rx", "＝1", "a=b", ""); err != nil {
		t.Fatal(err)
	}
	want := "\uFEFFplain,\"say \"\"hi\"\"\",\"a,b\",\"two\nlines\",,-5,true,\" x\"\r\n" +
		"'=1+1,'+49 40,'-5,'@SUM(A1),'\tx,\"'\rx\",'＝1,a=b,\r\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A spreadsheet that parts cells by another character than the file does runs nothing
// either; prices, lists and faces stay as they are.
//
// Break: Neutral that looks at the beginning of a text alone.
func TestNeutral_within(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`x;=cmd|'/C calc'!A0;y`:           `x;'=cmd|'/C calc'!A0;y`,
		`x,  -HYPERLINK("http://x")`:      `x,  '-HYPERLINK("http://x")`,
		"x\t＋A1!B2":                       "x\t'＋A1!B2",
		"a|@SUM(1)":                       "a|'@SUM(1)",
		"hello\r\n=1+f(2)\n=2":            "hello\r\n'=1+f(2)\n=2",
		`x;"=f(1)"`:                       `x;"'=f(1)"`,
		"=f(1);=f(2)":                     "'=f(1);'=f(2)",
		"50,- EUR, or 60,-":               "50,- EUR, or 60,-",
		"thanks ;-) (really)":             "thanks ;'-) (really)",
		"thanks ;-)":                      "thanks ;-)",
		"needs:\n- a shop\n- a blog":      "needs:\n- a shop\n- a blog",
		"a=b(c); mail me+you@x.com (yes)": "a=b(c); mail me+you@x.com (yes)",
	} {
		if got := csv.Neutral(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// No cell is run of a file that is read as if other characters parted its cells.
//
// Break: Neutral that looks at the beginning of a text alone.
func TestRow_otherDelimiter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ written, read rune }{{',', ';'}, {',', '\t'}, {',', '|'}, {';', ','}, {';', '\t'}} {
		var b bytes.Buffer
		by := string(c.read)
		if err := csv.New(&b, c.written).Row("a", "x"+by+"=cmd|'/C calc'!A0"+by+"y", `say "hi", x`+by+` "@SUM(1)"`, "x\n=f(1)\r\n-A1!B2", "50"+by+"- EUR"); err != nil {
			t.Fatal(err)
		}
		r := stdcsv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\uFEFF")))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = c.read, true, -1
		rows, err := r.ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%q: %v, %q", b.String(), err, rows)
		}
		for _, cell := range slices.Concat(rows...) {
			start := strings.TrimLeft(cell, ` "`)
			if start != "" && strings.ContainsRune("=+-@", rune(start[0])) && strings.ContainsAny(start, "(!|") {
				t.Errorf("the cell %q of %q would be run where %q parts them", cell, b.String(), c.read)
			}
		}
	}
}

// A text of nothing but beginnings is looked through once: for each of them, this test
// would not end.
func TestNeutral_long(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(";=", 1<<20)
	if got := csv.Neutral(text); got != text {
		t.Error("it has changed")
	}
}

// Every text comes back as it was, but for the apostrophe, and no cell begins
// with what a spreadsheet would run.
func TestRow_property(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+\-@",;'\t\r\n a-c<>{}$|]{0,8}`),
		rapid.SampledFrom([]string{"=cmd|' /C calc'!A0", `=HYPERLINK("http://x","y")`, "\u202e=1", "@import", "Ω≈ç", "👩‍👩‍👧", "'=1", "\x00=1", "\ufeff=1"}))
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(text, 2, 5).Draw(t, "row")
		var b bytes.Buffer
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v
		}
		if err := csv.New(&b, ',').Row(values...); err != nil {
			t.Fatal(err)
		}
		got, err := stdcsv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\uFEFF"))).Read()
		if err != nil || len(got) != len(row) {
			t.Fatalf("%q: %v, %q", b.String(), err, got)
		}
		for i, cell := range got {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("the cell %q would be run", cell)
			}
			for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;\t\r\n", r) }) {
				if strings.ContainsRune("=+-@", rune(part[0])) && strings.ContainsAny(part, "(!|") {
					t.Errorf("%q of the cell %q would be run", part, cell)
				}
			}
			// The reader makes one line end of two kinds.
			want := strings.ReplaceAll(csv.Neutral(row[i]), "\r\n", "\n")
			if cell != want {
				t.Errorf("got %q, want %q", cell, want)
			}
		}
	})
}
