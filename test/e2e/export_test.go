package e2e

import (
	"archive/zip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// What a form got is written as CSV that is safe to open, with its files.
func TestFormsExport(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, `
forms:
  apply:
    fields: { name: { type: text }, cv: { type: file, accept: [pdf] } }
    rate_limit: 1000/s
`)
	for _, name := range []string{"=1+1", "Zoë, \"Ltd\""} {
		body := "--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n" + name + "\r\n" +
			"--B\r\nContent-Disposition: form-data; name=\"phone\"\r\n\r\n+49 40\r\n" +
			"--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"../cv.pdf\"\r\n\r\n%PDF-1.7 " + name + "\r\n--B--\r\n"
		r := g.Do(http.MethodPost, "/f/apply", []byte(body), "Content-Type", "multipart/form-data; boundary=B", "Accept", "application/json")
		if r.Status != http.StatusOK {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
	files, out := filepath.Join(g.Dir, "files"), filepath.Join(g.Dir, "out.csv")
	g.MustCLI("forms", "export", "apply", "--with-files", files, "--out", out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	plain, bom := strings.CutPrefix(string(text), "\uFEFF")
	rows, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
	if err != nil || !bom || len(rows) != 3 {
		t.Fatalf("%v, %v\n%s", err, bom, text)
	}
	same(t, "header", "id time name cv extra.phone", strings.Join(rows[0], " "))
	same(t, "a formula", "'=1+1", rows[1][2])
	same(t, "a name", "Zoë, \"Ltd\"", rows[2][2])
	same(t, "a number that looks like a formula", "'+49 40", rows[1][4])
	for _, row := range rows[1:] {
		content, err := os.ReadFile(filepath.Join(files, row[3]))
		if err != nil || string(content) != "%PDF-1.7 "+strings.TrimPrefix(row[2], "'") {
			t.Errorf("file %s: %q, %v", row[3], content, err)
		}
	}
	semicolons := g.MustCLI("forms", "export", "apply", "--delimiter", ";")
	if !strings.HasPrefix(semicolons, "\uFEFFid;time;name;cv;extra.phone\r\n") {
		t.Errorf("with another delimiter: got %.100q", semicolons)
	}
	workbook := filepath.Join(g.Dir, "out.xlsx")
	g.MustCLI("forms", "export", "apply", "--format", "xlsx", "--out", workbook)
	sheet := sheetOf(t, workbook)
	for _, want := range []string{`<t xml:space="preserve">=1+1</t>`, `<c r="E2" t="inlineStr"><is><t xml:space="preserve">+49 40</t></is></c>`, `<c r="B2" s="2"><v>`} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the workbook has no %s in\n%s", want, sheet)
		}
	}
	for _, args := range [][]string{{"--format", "xls"}, {"--delimiter", ":"}, {"--format", "xlsx", "--delimiter", ";"}} {
		if r := g.CLI(append([]string{"forms", "export", "apply"}, args...)...); r.Code != 2 {
			t.Errorf("%v: %d %s", args, r.Code, r.Stderr)
		}
	}
	if r := g.CLI("forms", "export", "aply"); r.Code != 5 || !strings.Contains(r.Stderr, "apply") {
		t.Errorf("an unknown form: %d %s", r.Code, r.Stderr)
	}
}

// sheetOf is the sheet of a workbook.
func sheetOf(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	sheet, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Texts that have broken software stand in an export as they were typed: in
// JSON unchanged, in CSV as cells of one row that no spreadsheet runs.
//
// Promise: T8.
func TestFormsExport_naughty(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../forms/testdata/naughty.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) < 200 {
		t.Fatal(len(texts), err)
	}
	g := lab.Start(t, "\nforms:\n  contact:\n    fields: { n: { type: number }, text: { type: text } }\n    rate_limit: 10000/s\n    duplicates: 0s\n    honeypot: none_of_these\n")
	var want []string
	for i, text := range texts {
		body, err := json.Marshal(map[string]any{"n": i, "text": text})
		if err != nil {
			t.Fatal(err)
		}
		if r := g.Do(http.MethodPost, "/f/contact", body, "Content-Type", "application/json", "Accept", "application/json"); r.Status != http.StatusOK {
			t.Fatalf("%.80q: %d %s", text, r.Status, r.Body)
		}
		want = append(want, text)
	}
	var posts []struct{ Data struct{ Text string } }
	if err := json.Unmarshal([]byte(g.MustCLI("forms", "export", "contact", "--format", "json")), &posts); err != nil || len(posts) != len(want) {
		t.Fatalf("%d posts, want %d: %v", len(posts), len(want), err)
	}
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(g.MustCLI("forms", "export", "contact"), "\uFEFF"))).ReadAll()
	if err != nil || len(table) != len(want)+1 {
		t.Fatalf("%d rows, want %d: %v", len(table), len(want)+1, err)
	}
	// The CSV reader makes \n of \r\n, in cells too.
	lines := strings.NewReplacer("\r\n", "\n")
	for i, text := range want {
		same(t, fmt.Sprintf("JSON %d", i), text, posts[i].Data.Text)
		cell := table[i+1][3]
		if plain := strings.TrimPrefix(cell, "'"); lines.Replace(plain) != lines.Replace(strings.TrimPrefix(text, "'")) {
			t.Errorf("CSV %d: %.80q became %.80q", i, text, cell)
		}
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
			t.Errorf("CSV %d: a spreadsheet would run %.80q", i, cell)
		}
	}
}
