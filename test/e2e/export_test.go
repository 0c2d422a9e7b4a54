package e2e

import (
	"encoding/csv"
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
	if r := g.CLI("forms", "export", "aply"); r.Code != 5 || !strings.Contains(r.Stderr, "apply") {
		t.Errorf("an unknown form: %d %s", r.Code, r.Stderr)
	}
}
