package term

import (
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"hookgate/internal/diag"
)

// Harmless writes data that holds text from outside to a terminal: what Clean
// would escape is escaped. As JSON the escapes are JSON's own, so that it stays
// the same JSON. Line breaks and tabs stay.
type Harmless struct {
	w    io.Writer
	json bool
	rest []byte // the beginning of a character, or a carriage return
}

// NewHarmless makes a Harmless of w; json says that JSON is written.
func NewHarmless(w io.Writer, json bool) *Harmless { return &Harmless{w: w, json: json} }

// Write implements io.Writer. The beginning of a character waits for its rest.
func (h *Harmless) Write(p []byte) (int, error) {
	text := append(h.rest, p...)
	h.rest = nil
	var out []byte
	for len(text) > 0 {
		if !utf8.FullRune(text) || text[0] == '\r' && len(text) == 1 {
			h.rest = append([]byte(nil), text...)
			break
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\r' && text[1] == '\n':
			out = append(out, '\r')
		case r == '\n', r == '\t', r != utf8.RuneError && !diag.Obeyed(r):
			out = append(out, text[:size]...)
		case r == utf8.RuneError && size == 1: // no UTF-8: a terminal may take it for a control character
			out = fmt.Appendf(out, `\x%02x`, text[0])
		case h.json && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		case h.json:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, Clean(string(r))...)
		}
		text = text[size:]
	}
	if _, err := h.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
