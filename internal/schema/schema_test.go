package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/schema"
)

func build(t *testing.T, texts ...string) schema.Payload {
	t.Helper()
	b := schema.NewBuilder()
	for _, text := range texts {
		if !b.Add([]byte(text)) {
			t.Fatalf("not added: %s", text)
		}
	}
	return b.Payload("x")
}

// lines are the fields of a shape, to be compared at a glance.
func lines(s *schema.Payload) []string {
	var out []string
	for _, f := range s.Fields {
		line := fmt.Sprintf("%s: %s, %d", f.Path, strings.Join(f.Types, "|"), f.Seen)
		for _, e := range f.Examples {
			line += " " + string(e)
		}
		if f.More {
			line += " …"
		}
		out = append(out, line)
	}
	return out
}

func TestBuilder(t *testing.T) {
	t.Parallel()
	s := build(t,
		`{"id": 12345678901234567890, "title": "A <b>", "tags": [], "badges": [{"type": "a"}, {"type": "b", "n": null}], "1.3": true}`,
		`{"id": "x", "title": "A <b>", "tags": ["t"], "badges": [], "meta": {"api_token": "abc", "token": 7, "long": "`+strings.Repeat("é", 70)+`"}}`,
	)
	want := []string{
		`data["1.3"]: true or false, 1 true`,
		`data.badges: list, 2`,
		`data.badges[]: object, 1`,
		`data.badges[].n: null, 1`,
		`data.badges[].type: text, 1 "a" "b"`,
		`data.id: number|text, 2 12345678901234567890 "x"`,
		`data.meta: object, 1`,
		`data.meta.api_token: text, 1 "••••" …`,
		`data.meta.long: text, 1 "` + strings.Repeat("é", 60) + `…" …`,
		`data.meta.token: number, 1 "••••" …`,
		`data.tags: list, 2`,
		`data.tags[]: text, 1 "t"`,
		`data.title: text, 2 "A <b>"`,
	}
	if diff := cmp.Diff(want, lines(&s)); diff != "" || s.Events != 2 {
		t.Errorf("%d events\n%s", s.Events, diff)
	}
	if f := s.Find(schema.Path{"badges", schema.Items, "n"}); f == nil || !f.Nullable() || f.Is(schema.Text) {
		t.Errorf("got %+v", f)
	}
	if diff := cmp.Diff([]string{"n", "type"}, s.Children(schema.Path{"badges", schema.Items})); diff != "" {
		t.Error(diff)
	}
	if schema.NewBuilder().Add([]byte(`{"a"`)) {
		t.Error("no JSON was added")
	}
}

// A shape stays small whatever the events are.
func TestBuilder_bounds(t *testing.T) {
	t.Parallel()
	keys, deep := strings.Builder{}, strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200)
	for i := range 5000 {
		fmt.Fprintf(&keys, `"k%d": "v%d",`, i, i)
	}
	b := schema.NewBuilder()
	b.Add([]byte("{" + keys.String() + `"z": ` + deep + "}"))
	for i := range 100 {
		b.Add(fmt.Appendf(nil, `{"k1": "v%d"}`, i))
	}
	s := b.Payload("x")
	if len(s.Fields) > 1000 {
		t.Errorf("%d fields", len(s.Fields))
	}
	for _, f := range s.Fields {
		if len(f.Examples) > 12 || len(f.Path) > 12 {
			t.Errorf("%s: %d examples", f.Path, len(f.Examples))
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	a, b := build(t, `{"a": 1, "b": "x"}`), build(t, `{"a": "2"}`, `{"a": null}`)
	a.Complete = true
	merged := schema.Merge([]schema.Payload{a, b})
	want := []string{`data.a: null|number|text, 3 1 "2"`, `data.b: text, 1 "x"`}
	if diff := cmp.Diff(want, lines(&merged)); diff != "" || merged.Events != 3 || merged.Complete {
		t.Errorf("%d events, complete %t\n%s", merged.Events, merged.Complete, diff)
	}
	if diff := cmp.Diff([]string{`data.a: number, 1 1`, `data.b: text, 1 "x"`}, lines(&a)); diff != "" {
		t.Errorf("merging has changed a part:\n%s", diff)
	}
}

// What a path is written as is read as the same path.
func TestPath_text(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := schema.Path(rapid.SliceOf(rapid.OneOf(rapid.Just(schema.Items), rapid.String(), rapid.StringMatching(`[a-z_]{1,4}`))).Draw(t, "path"))
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back schema.Path
		if err := json.Unmarshal(text, &back); err != nil || back.String() != p.String() {
			t.Fatalf("%s: got %q, %v", text, back, err)
		}
	})
	for _, bad := range []string{"", "dat", "data[", `data["a"`, `data["a]`, "data]", "datax"} {
		var p schema.Path
		if err := p.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %q", bad, []string(p))
		}
	}
}
