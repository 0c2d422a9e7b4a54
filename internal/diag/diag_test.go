package diag_test

import (
	"strings"
	"testing"

	"hookgate/internal/diag"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	names := []string{"billing", "slack-web", "when", "to", "bot_token", "mail-web"}
	for word, want := range map[string]string{
		"biling": "billing", "BILLING": "billing", "slackweb": "slack-web", "hwen": "when", "wen": "when", "ot": "to",
		"": "", "something": "", "x": "", "whatever": "", "filter": "",
		"token": "bot_token", "mail": "mail-web", "web": "", // a part of one name, and of two
	} {
		if got := diag.Suggest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := diag.DidYouMean("biling", names); got != `did you mean "billing"?` {
		t.Errorf("got %q", got)
	}
	if got := diag.DidYouMean("filter", names); got != "" {
		t.Errorf("got %q", got)
	}
}

// A word that none is near to is answered with those that there are, however many.
func TestAmong(t *testing.T) {
	t.Parallel()
	many := strings.Fields("a1 b2 c3 d4 e5 f6 g7 h8 i9 j10")
	for want, names := range map[string][]string{
		`did you mean "billing"?`:                             {"crm", "billing"},
		"there are crm, mail":                                 {"crm", "mail"},
		"there is only crm":                                   {"crm"},
		"there is none":                                       nil,
		"there are a1, b2, c3, d4, e5, f6, g7, h8":            many[:8],
		"there are a1, b2, c3, d4, e5, f6, g7, h8 and 2 more": many,
	} {
		if got := diag.Among("biling", names); got != want {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	warning := at(2, 1, 1)
	warning.Severity = diag.Warning
	list := diag.List{at(3, 1, 1), warning, at(1, 9, 1), at(1, 2, 1)}
	list[0].File = "b.yaml"
	list.Sort()
	want := "error[code] c.yaml:1:2: message (hint)\nerror[code] c.yaml:1:9: message (hint)\nwarn[code] c.yaml:2:1: message (hint)"
	if got := list[1:].Error(); got != want || list[0].File != "b.yaml" {
		t.Errorf("got\n%s", list.Error())
	}
	if list.Count(diag.Warning) != 1 || list.Count(diag.Error) != 3 || list.Err() == nil {
		t.Errorf("got %d warnings, %d errors, %v", list.Count(diag.Warning), list.Count(diag.Error), list.Err())
	}
	if got := (diag.List{warning, at(1, 2, 1)}).Err(); got == nil || got.Error() != "error[code] c.yaml:1:2: message (hint)" {
		t.Errorf("a warning beside an error: got %v, want the error alone", got)
	}
	if err := (diag.List{warning}).Err(); err != nil {
		t.Errorf("a warning alone: got %v", err)
	}
	if got := (diag.Position{File: "c.yaml"}).String(); got != "c.yaml" {
		t.Errorf("no line: got %q", got)
	}
}
