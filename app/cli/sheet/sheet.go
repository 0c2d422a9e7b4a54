// Package sheet writes tables as CSV that spreadsheets open without harm: UTF-8
// with a byte order mark, quoted as RFC 4180 has it, and no cell of a
// stranger's is taken for a formula.
package sheet

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// bom tells Excel that the file is UTF-8.
const bom = "\uFEFF"

// Writer writes rows. Its first error is kept and given by every call after it.
type Writer struct {
	w   io.Writer
	err error
}

// New begins a file.
func New(w io.Writer) *Writer {
	_, err := io.WriteString(w, bom)
	return &Writer{w: w, err: err}
}

// Row writes a row. A value is a text, a json.Number or a bool; nil is empty.
func (w *Writer) Row(values ...any) error {
	if w.err != nil {
		return w.err
	}
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(text(v)))
	}
	b.WriteString("\r\n")
	_, w.err = io.WriteString(w.w, b.String())
	return w.err
}

// text is a value as a cell has it. A number may begin with a minus: it is
// none of those that a stranger could have written otherwise.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Neutral(v)
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	return Neutral(fmt.Sprint(v))
}

// Neutral puts an apostrophe before a text that a spreadsheet would run: one
// that begins with = + - @, also in their wide forms, a tab or a carriage
// return.
func Neutral(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first) {
		return "'" + text
	}
	return text
}

// quote writes a cell (RFC 4180, section 2). White space at an end is quoted
// too, for some readers drop it.
func quote(cell string) string {
	if !strings.ContainsAny(cell, "\",;\r\n\t") && strings.TrimSpace(cell) == cell {
		return cell
	}
	return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}
