package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// Texts that have broken software are the same in the stored event, stand in
// Slack as texts, where nobody is linked, mentioned or shouted at, and in a CSV
// file as cells that no spreadsheet runs.
func TestNaughtyStrings(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	raw, err := os.ReadFile("../../forms/testdata/naughty.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) < 200 {
		t.Fatal(len(texts), err)
	}
	g := lab.Start(t, contact(slack.APIURL(), origin, generous))
	want, sent := map[string]string{}, map[string]string{}
	for i, text := range texts {
		name := fmt.Sprintf("N%d", i)
		body, err := json.Marshal(map[string]string{"name": name, "email": "n@example.com", "message": text})
		if err != nil {
			t.Fatal(err)
		}
		r := g.Do(http.MethodPost, "/f/contact", body, "Content-Type", "application/json", "Accept", "application/json")
		if r.Status != http.StatusOK {
			if len(text) > 5000 { // the field's max
				continue
			}
			t.Fatalf("%.80q: %d %s", text, r.Status, r.Body)
		}
		sent[name] = text
		want[name] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
		if i%20 == 0 {
			data, _ := value(t, g.Show(g.Events("--limit", "1")[0].ID).Data).(map[string]any)
			same(t, fmt.Sprintf("data of %.60q", text), text, fmt.Sprint(data["message"]))
		}
	}
	lab.Eventually(t, "all are in Slack", func() bool { return len(slack.Messages()) >= len(want) })
	for _, m := range slack.Messages() {
		rest, _ := strings.CutPrefix(m.Text, "New lead from contact: ")
		name, rest, _ := strings.Cut(rest, ", ")
		_, got, _ := strings.Cut(rest, ", ")
		if expected, ok := want[name]; ok && got != expected {
			t.Errorf("in Slack %.80q is %.80q", expected, got)
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("%d did not arrive", len(want))
	}
	exported(t, g, sent)
}

// exported compares the messages of the CSV file of the form with those that
// were sent, by name. Break: write cells as they are.
func exported(t *testing.T, g *lab.Gate, sent map[string]string) {
	t.Helper()
	plain, bom := strings.CutPrefix(g.MustCLI("forms", "export", "contact"), "\uFEFF")
	rows, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
	if err != nil || !bom || len(rows) != len(sent)+1 {
		t.Fatalf("%d rows for %d posts, a byte order mark: %v, %v", len(rows), len(sent), bom, err)
	}
	name, message := slices.Index(rows[0], "name"), slices.Index(rows[0], "message")
	neutralised := 0
	for _, row := range rows[1:] {
		cell, text := row[message], sent[row[name]]
		if strings.HasPrefix(cell, "'") && !strings.HasPrefix(text, "'") {
			cell, neutralised = cell[1:], neutralised+1
		} else if cell != "" && strings.Contains("=+-@\t\r", cell[:1]) {
			t.Errorf("a spreadsheet runs %.80q", cell)
		}
		// csv.Reader does not tell the two kinds of line ends apart.
		if crlf := strings.NewReplacer("\r\n", "\n"); crlf.Replace(cell) != crlf.Replace(text) {
			t.Errorf("%.80q is %.80q in the file", text, row[message])
		}
	}
	if neutralised < 5 {
		t.Errorf("only %d cells begin like a formula: what is tested?", neutralised)
	}
}
