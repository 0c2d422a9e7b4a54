package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
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
			// The reader makes one line end of two kinds.
			want := strings.ReplaceAll(csv.Neutral(row[i]), "\r\n", "\n")
			if cell != want {
				t.Errorf("got %q, want %q", cell, want)
			}
		}
	})
}
