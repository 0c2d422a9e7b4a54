package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// literals are the texts that stand in the code of a folder, with %s for each place of
// a value; what another text follows ends with one.
func literals(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var list []string
	verb := regexp.MustCompile(`%[a-z]`)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, code, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Error(err)
				}
				text = verb.ReplaceAllString(text, "%s")
				if strings.HasSuffix(text, " ") {
					text += "%s"
				}
				list = append(list, text)
			}
			return true
		})
	}
	return list
}

// Every reason for spam has its German words, and each pair is of a sentence that is
// said somewhere.
func TestSaid_reasons(t *testing.T) {
	t.Parallel()
	spam := regexp.MustCompile(`^(min_time|max_links|blocklist|captcha): [a-z%]`)
	all := slices.Concat(literals(t, "../../../forms"), literals(t, "../../ingest"))
	found := 0
	for _, text := range all {
		if spam.MatchString(text) && !strings.Contains(text, "{") {
			found++
			if _, known := german.said(reasons, strings.ReplaceAll(text, "%s", "7")); !known {
				t.Errorf("not there in German: %q", text)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d reasons were found: the test looks in the wrong places", found)
	}
	for _, r := range reasons {
		if english := strings.TrimPrefix(r.english, "released by hand"); !slices.Contains(all, r.english) && !slices.Contains(all, english) {
			t.Errorf("nobody says this any more: %q", r.english)
		}
	}
}

// Each refusal is one of app/admin, with the same places in German.
func TestSaid_refusals(t *testing.T) {
	t.Parallel()
	all := slices.Concat(literals(t, "../../admin"), literals(t, "../../admin/address"), literals(t, "../../../internal/diag"))
	for _, r := range refusals {
		if !slices.Contains(all, r.english) {
			t.Errorf("nobody says this any more: %q", r.english)
		}
		if _, known := german.said(refusals, strings.ReplaceAll(r.english, "%s", "7")); !known {
			t.Errorf("it is not found: %q", r.english)
		}
	}
	for english, want := range map[string]string{
		"there are 100 views, which is the most: delete one first":                    "Es gibt schon 100 Ansichten, mehr sind nicht möglich: Bitte zuerst eine löschen.",
		`only deliveries that are failed, retrying can be cancelled, not "delivered"`: `Das geht nur mit Zustellungen im Zustand „Fehlgeschlagen“, „Wird wiederholt“, nicht „Zugestellt“.`,
		"address: this is no e-mail address":                                          "Das ist keine E-Mail-Adresse.",
		"the run is done and cannot be paused":                                        "Das geht nicht: Der Zustand des Laufs ist „Fertig“.",
		"events that are rejected cannot be replayed: no rule has seen their data":    "Ereignisse im Zustand „Abgewiesen“ können nicht neu ausgewertet werden: Keine Regel hat ihre Daten gesehen.",
		`no rule in force is called "al": did you mean "all"?`:                        `Nichts davon heißt hier "al". Meinten Sie "all"?`,
		`no rule in force is called "x: y": there are a, b and 3 more`:                `Nichts davon heißt hier "x: y". Es gibt: a, b und 3 weitere.`,
		`no connection is called "x": there is only billing`:                          `Nichts davon heißt hier "x". Es gibt nur billing.`,
		"the end of the pause, 2026-01-01T00:00:00Z, is over already":                 "Das Ende der Pause, 2026-01-01T00:00:00Z, ist schon vorbei.",
	} {
		if got, _ := german.said(refusals, english); got != want {
			t.Errorf("%s: got %s, want %s", english, got, want)
		}
	}
	if got := german.told(refusals, "a <b> that nobody knows"); got != `<span lang="en">a &lt;b&gt; that nobody knows</span>` {
		t.Errorf("what stays English: %s", got)
	}
}

// Every note that a condition can have is told in German, whatever values are in it.
func TestSaid_notes(t *testing.T) {
	t.Parallel()
	doc, err := jsondoc.Parse([]byte(`{"a":"Fertig","b":2,"c":"x is y, b is \"z\"","d":{"e":[1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]string{
		`data.a == "Done"`: `es ist "Fertig"`,
		`data.b > 3`:       "es ist 2",
		`data.x == 1`:      "es ist null oder fehlt",
		`data.c == data.b`: `data.c ist "x is y, b is \"z\"", data.b ist 2`,
		`data.b == data.c`: `data.b ist 2, data.c ist "x is y, b is \"z\""`,
		`data.x == data.b`: "data.x ist null oder fehlt, data.b ist 2",
		`data.d == data.a`: `data.d ist {"e":[1]}, data.a ist "Fertig"`,
		`data.c == "it"`:   `es ist "x is y, b is \"z\""`,
		`data.b != 2`:      "es ist 2",
		`true and data.a`:  `es ist "Fertig" und nicht true oder false`,
	} {
		predicate, list := lang.NewCompiler().Predicate(yamlnode.Plain(when))
		if list.Err() != nil {
			t.Fatal(when, list)
		}
		note := ""
		for _, part := range predicate.Explain(lang.NewScope(doc, lang.Meta{}, nil, nil)).Parts {
			note += part.Note
		}
		if got, known := german.said(notes, note); !known || got != want {
			t.Errorf("%s: %s is %s, want %s", when, note, got, want)
		}
	}
	// What the producer writes notes of; another word is another case above.
	all := literals(t, "../../../rules/lang")
	for _, text := range []string{"it would take too long to tell", "it is %s", ", not true or false", " is %s", "null or missing"} {
		if !slices.Contains(all, text) {
			t.Errorf("rules/lang does not say %q any more", text)
		}
	}
	if _, known := german.said(notes, "it would take too long to tell"); !known {
		t.Error("what takes too long is not known")
	}
}
