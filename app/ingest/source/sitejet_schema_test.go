package source_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hookgate/internal/schema"
)

// What Sitejet publishes, and what the samples made after it hold, is in the
// documented shape with the same types.
func TestSource_Documented(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, `{ type: sitejet, token: 0123456789abcdef0123 }`)
	sender, shapes := s.Documented()
	if sender != "Sitejet" || len(shapes) != 6 {
		t.Fatalf("%s documents %d types", sender, len(shapes))
	}
	files, err := filepath.Glob("../samples/files/sitejet/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	checked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := schema.NewBuilder()
		if !b.Add(text) {
			continue // as printed, with its comma missing
		}
		sample := b.Payload("")
		typ := sample.Find(schema.Path{"event"}).Texts()[0]
		i := slices.IndexFunc(shapes, func(s schema.Payload) bool { return s.Type == typ })
		if i < 0 {
			t.Errorf("%s: %q is not documented", file, typ)
			continue
		}
		for _, f := range sample.Fields {
			if !shapes[i].Complete && f.Path[0] != "event" && f.Path[0] != "website" {
				continue
			}
			at := shapes[i].Find(f.Path)
			switch {
			case at == nil:
				t.Errorf("%s: %s is not documented", file, f.Path)
			case !at.Is(f.Types[0]):
				t.Errorf("%s: %s is documented as %v, not %v", file, f.Path, at.Types, f.Types)
			default:
				checked++
			}
			if at != nil && len(at.Values) > 0 && !slices.Contains(at.Values, f.Texts()[0]) {
				t.Errorf("%s: %q is no value of %s", file, f.Texts()[0], f.Path)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d fields were compared", checked)
	}
	merged := schema.Merge(shapes)
	status := merged.Find(schema.Path{"website", "status"})
	if label := status.Labels["Vorbereitung"]; label.Value != "Preparation" || label.Language != "German" || len(status.Values) != 13 {
		t.Errorf("got %+v of %d statuses", label, len(status.Values))
	}
	if _, none := MustCompile(t, `{ type: webhook, token: 0123456789abcdef0123 }`).Documented(); none != nil {
		t.Errorf("a webhook documents %v", none)
	}
}
