package event_test

import (
	"testing"

	"hookgate/internal/event"
)

// What gets around a secret on its way is no part of it; what is inside stays.
func TestSecret_trimmed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a b", " a b", "a b\n", "a b\r\n", "\uFEFFa b", "\u200Ba b\u2060", "\ta b\u00a0"} {
		var s event.Secret
		if err := s.UnmarshalText([]byte(text)); err != nil || s.Reveal() != "a b" {
			t.Errorf("%q became %q, %v", text, s.Reveal(), err)
		}
	}
}
