package contact_test

import (
	"strings"
	"testing"

	"hookgate/internal/contact"
)

func TestIsEmail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ada@example.com": true, "a.b+c@mail.x.de": true, "ada@müller.de": true, "ada@example": false, "ada": false, "ada@ex ample.com": false, "<ada@example.com>": false,
		"ada@example.com, b@example.com": false, "": false, strings.Repeat("a", 250) + "@x.de": false,
	} {
		if got := contact.IsEmail(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestPhones(t *testing.T) {
	t.Parallel()
	for in, want := range map[[2]string][2]string{
		{"030 1234567", "DE"}:            {"+49301234567", "030 1234567"},
		{"+49 (0) 30 / 123 45 67", "DE"}: {"+49301234567", "030 1234567"},
		{"+43 1 5056", "DE"}:             {"+4315056", "+43 1 5056"},
		{"+1 415 555 2671", ""}:          {"+14155552671", "+1 415-555-2671"},
		{"030 1234567", ""}:              {},
		{"110", "DE"}:                    {},
		{"call me", "DE"}:                {},
		{"", "DE"}:                       {},
		{strings.Repeat("1", 200), "DE"}: {},
	} {
		dialled, ok := contact.Dial(in[0], in[1])
		written, also := contact.Written(in[0], in[1])
		if dialled != want[0] || written != want[1] || ok != (want[0] != "") || also != ok {
			t.Errorf("%q: got %q, %q, want %q", in, dialled, written, want)
		}
	}
	if !contact.IsRegion("DE") || contact.IsRegion("de") || contact.IsRegion("Germany") {
		t.Error("regions are two capital letters")
	}
}
