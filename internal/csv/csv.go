// Package csv writes tables as CSV that spreadsheets open without harm: UTF-8
// with a byte order mark, quoted as RFC 4180 has it, and no cell of a
// stranger's is taken for a formula.
package csv

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// bom tells Excel that the file is UTF-8.
const bom = "\uFEFF"

// delimiters are what can part cells.
const delimiters = ",;|\t"

// CheckDelimiter says that something cannot part cells.
func CheckDelimiter(r rune) error {
	if !strings.ContainsRune(delimiters, r) {
		return fmt.Errorf("%q cannot part cells: one of , ; | or a tab", string(r))
	}
	return nil
}

// Writer writes rows. Its first error is kept and given by every call after it.
type Writer struct {
	w   io.Writer
	row bytes.Buffer
	csv *csv.Writer // into row
	err error
}

// New begins a file whose cells are parted by delimiter.
func New(w io.Writer, delimiter rune) *Writer {
	out := &Writer{w: w}
	out.csv = csv.NewWriter(&out.row)
	out.csv.Comma = delimiter
	_, out.err = io.WriteString(w, bom)
	return out
}

// Row writes a row. A value is a text, a json.Number or a bool; nil is empty.
func (w *Writer) Row(values ...any) error {
	if w.err != nil {
		return w.err
	}
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = text(v)
	}
	w.row.Reset()
	_ = w.csv.Write(cells) // a buffer takes everything
	w.csv.Flush()
	// Rows end with CRLF, and line breaks within a cell stay as they are: with
	// UseCRLF the package would change those, too.
	_, w.err = w.w.Write(append(bytes.TrimSuffix(w.row.Bytes(), []byte("\n")), "\r\n"...))
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

// formula are the characters with which one begins, also in their wide forms.
const formula = "=+-@＝＋－＠"

// Neutral puts an apostrophe before what a spreadsheet would run: a text that begins as a
// formula does, or with a tab or a carriage return; and within a text a formula that may
// do something, for a ( ! or | follows in its line, after what parts cells. A spreadsheet
// that parts cells by another character than the file does, as a German Excel by the
// semicolon, parts the text there; quotes do not keep it from that, as they are not at the
// beginning of its cell.
func Neutral(text string) string {
	var out strings.Builder
	first, begins := true, false // whether a text begins, or some spreadsheet's cell
	for line := range strings.SplitAfterSeq(text, "\n") {
		acts, done := strings.LastIndexAny(line, "(!|"), 0 // done: what of line is in out
		for i, r := range line {
			if first && strings.ContainsRune(formula+"\t\r", r) || begins && i < acts && strings.ContainsRune(formula, r) {
				out.WriteString(line[done:i] + "'")
				done = i
			}
			first = false
			begins = strings.ContainsRune(delimiters+"\r\n", r) || begins && (r == ' ' || r == '"')
		}
		out.WriteString(line[done:])
	}
	return out.String()
}
