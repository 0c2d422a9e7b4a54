package diag_test

import (
	"testing"

	"hookgate/internal/diag"
)

func TestA(t *testing.T) {
	t.Parallel()
	for noun, want := range map[string]string{
		"text": "a text", "object": "an object", "true or false": "true or false", "null": "null", "": "",
		"Airtable": "an Airtable", "email": "an email", "url": "a url",
	} {
		if got := diag.A(noun); got != want {
			t.Errorf("%s: got %q, want %q", noun, got, want)
		}
	}
}
