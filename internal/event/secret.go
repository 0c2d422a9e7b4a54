package event

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

const redacted = "[redacted]"

// Secret is a text that prints itself as [redacted] under every verb, in JSON,
// in YAML and in logs. Reveal gives the text, at the place that needs it.
type Secret struct{ text string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the hidden text.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == "" }

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return redacted }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalYAML implements yaml.Marshaler.
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// UnmarshalText lets the strict decoder of config.yaml fill a Secret.
func (s *Secret) UnmarshalText(text []byte) error {
	s.text = TrimSecret(string(text))
	return nil
}

// TrimSecret cuts off what gets around a secret on its way and is no part of
// it: blanks, the line break of echo or of a file, a byte order mark, and signs
// that nobody sees.
func TrimSecret(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' || r == '\u2060'
	})
}
