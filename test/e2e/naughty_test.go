package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// Texts that have broken software are the same in the stored event, and stand
// in Slack as texts: nobody is linked, mentioned or shouted at.
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
	want := map[string]string{}
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
}
