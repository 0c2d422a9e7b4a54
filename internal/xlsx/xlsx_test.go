package xlsx_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/xlsx"
)

// sheet is what a spreadsheet reads of a sheet.
type sheet struct {
	Rows []struct {
		Cells []struct {
			At    string `xml:"r,attr"`
			Type  string `xml:"t,attr"`
			Style string `xml:"s,attr"`
			Value string `xml:"v"`
			Text  string `xml:"is>t"`
		} `xml:"c"`
	} `xml:"sheetData>row"`
}

func written(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := xlsx.New(&b, "a/b: [contact] 'x' with a name that is too long")
	for _, row := range rows {
		if err := w.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, file []byte) sheet {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var s sheet
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(content, new(struct{})); err != nil {
			t.Errorf("%s is no XML: %v\n%s", f.Name, err, content)
		}
		if strings.HasSuffix(f.Name, "sheet1.xml") {
			if err := xml.Unmarshal(content, &s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func TestWriter(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := read(t, written(t,
		[]any{"name", "phone"},
		[]any{"=1+1", "+49 30 1234567", json.Number("-1250.50"), json.Number("9007199254740993"), true, nil, "a<b>&\n\"c\"", " x ", "_x0041_", "\x01", ""},
		[]any{time.Date(2026, 3, 10, 13, 30, 0, 0, time.UTC).In(berlin), time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC), json.Number("1e999"), json.Number("0.1")},
	))
	var got []string
	for _, row := range s.Rows {
		for _, c := range row.Cells {
			got = append(got, c.At+" "+c.Type+c.Style+" "+c.Value+c.Text)
		}
	}
	want := []string{
		"A1 inlineStr1 name", "B1 inlineStr1 phone",
		"A2 inlineStr =1+1", "B2 inlineStr +49 30 1234567", "C2  -1250.50", "D2 inlineStr 9007199254740993", "E2 b 1", "G2 inlineStr a<b>&\n\"c\"", "H2 inlineStr  x ",
		"I2 inlineStr _x005F_x0041_", "J2 inlineStr \ufffd",
		"A3 2 46091.604166666664", "B3 2 61", "C3 inlineStr 1e999", "D3  0.1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriter_limits(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := xlsx.New(&b, "")
	if err := w.Row(strings.Repeat("ä", 40_000), strings.Repeat("x", 32_767)); err != nil || w.Cut() != 1 {
		t.Errorf("got %v, %d texts cut", err, w.Cut())
	}
	if err := w.Row(make([]any, 20_000)...); err == nil {
		t.Error("a row of 20,000 columns is written")
	}
	if err := w.Close(); err == nil {
		t.Error("the error is forgotten")
	}
	wide := read(t, written(t, make([]any, 800)))
	if len(wide.Rows) != 1 {
		t.Error("an empty row is none")
	}
	last := read(t, written(t, append(make([]any, 702), "x")))
	if got := last.Rows[0].Cells[0].At; got != "AAA1" {
		t.Errorf("column 703 is %s", got)
	}
}
