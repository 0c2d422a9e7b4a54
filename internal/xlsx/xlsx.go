// Package xlsx writes a table as a workbook of Office Open XML (ECMA-376), as
// spreadsheets open it: texts stay texts, whatever they begin with, numbers are
// numbers and times are times.
package xlsx

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// What a sheet can hold.
const (
	maxRows    = 1_048_576
	maxColumns = 16_384
	maxText    = 32_767 // UTF-16 units of a cell
	maxDigits  = 15     // of a number; those behind them a spreadsheet forgets
)

// ErrTooLarge is the error of a table that no sheet can hold.
var ErrTooLarge = errors.New("a sheet has 1,048,576 rows and 16,384 columns, and this is more")

// Writer writes the rows of one sheet. The first one is its head. Its first
// error is kept and given by every call after it; Close ends the file.
type Writer struct {
	zip   *zip.Writer
	sheet *bufio.Writer
	rows  int
	cut   int
	err   error
}

// The parts of a workbook beside its sheet.
var parts = []struct{ name, content string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
		`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`},
}

// The styles of cells, by their places in cellXfs.
const (
	bold = 1
	date = 2
)

// New begins a workbook with one sheet of that name.
func New(w io.Writer, sheet string) *Writer {
	out := &Writer{zip: zip.NewWriter(w)}
	for _, part := range parts {
		out.part(part.name, part.content)
	}
	var name strings.Builder
	out.note(xml.EscapeText(&name, []byte(sheetName(sheet))))
	out.part("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" `+
		`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="`+name.String()+`" sheetId="1" r:id="rId1"/></sheets></workbook>`)
	entry, err := out.zip.Create("xl/worksheets/sheet1.xml")
	if out.note(err); err == nil {
		out.sheet = bufio.NewWriter(entry)
		out.write(xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
			`<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
			`<sheetFormatPr defaultColWidth="20" defaultRowHeight="15"/><sheetData>`)
	}
	return out
}

// sheetName is a text as the name of a sheet can be.
func sheetName(text string) string {
	const longest = 31
	name := strings.Trim(strings.NewReplacer("[", "", "]", "", "*", "", "?", "", "/", "-", `\`, "-", ":", "-").Replace(text), "'")
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest])
	}
	if name == "" {
		return "Sheet1"
	}
	return name
}

func (w *Writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *Writer) part(name, content string) {
	if w.err != nil {
		return
	}
	entry, err := w.zip.Create(name)
	if err == nil {
		_, err = io.WriteString(entry, xml.Header+content)
	}
	w.note(err)
}

func (w *Writer) write(text string) {
	if w.err == nil {
		_, w.err = w.sheet.WriteString(text)
	}
}

// Row writes a row. A value is a text, a json.Number, a bool or a time, which
// is shown as its clock shows it; nil is empty.
func (w *Writer) Row(values ...any) error {
	if w.rows++; w.rows > maxRows || len(values) > maxColumns {
		w.note(ErrTooLarge)
	}
	w.write("<row r=\"" + strconv.Itoa(w.rows) + "\">")
	for i, v := range values {
		w.cell(column(i)+strconv.Itoa(w.rows), v)
	}
	w.write("</row>\n")
	return w.err
}

func (w *Writer) cell(at string, v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		n := "0"
		if v {
			n = "1"
		}
		w.write(`<c r="` + at + `" t="b"><v>` + n + `</v></c>`)
	case json.Number:
		if !exact(v.String()) {
			w.text(at, v.String())
			return
		}
		w.write(`<c r="` + at + `"><v>` + v.String() + `</v></c>`)
	case time.Time:
		w.write(`<c r="` + at + `" s="` + strconv.Itoa(date) + `"><v>` + strconv.FormatFloat(serial(v), 'f', -1, 64) + `</v></c>`)
	case string:
		w.text(at, v)
	default:
		w.text(at, fmt.Sprint(v))
	}
}

// text writes a cell that no spreadsheet takes for anything but a text.
func (w *Writer) text(at, text string) {
	if text == "" {
		return
	}
	style := ""
	if w.rows == 1 {
		style = ` s="` + strconv.Itoa(bold) + `"`
	}
	if units := utf16.Encode([]rune(text)); len(units) > maxText {
		text = string(utf16.Decode(units[:maxText]))
		w.cut++
	}
	var escaped strings.Builder
	w.note(xml.EscapeText(&escaped, []byte(escape.ReplaceAllString(text, "_x005F$0"))))
	// Line ends are a line feed in a cell, as they are.
	w.write(`<c r="` + at + `" t="inlineStr"` + style + `><is><t xml:space="preserve">` + strings.ReplaceAll(escaped.String(), "&#xA;", "\n") + `</t></is></c>`)
}

// escape is how the format writes a character by its number: what looks like
// it in a text has its underscore written so.
var escape = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// Cut is how many texts were longer than a cell can hold.
func (w *Writer) Cut() int { return w.cut }

// Close ends the file.
func (w *Writer) Close() error {
	w.write("</sheetData></worksheet>\n")
	if w.err == nil {
		w.note(w.sheet.Flush())
	}
	w.note(w.zip.Close())
	return w.err
}

// column is the name of a column: A, B, … Z, AA.
func column(i int) string {
	const letters = 26
	name := ""
	for i++; i > 0; i = (i - 1) / letters {
		name = string(rune('A'+(i-1)%letters)) + name
	}
	return name
}

// exact reports whether a spreadsheet keeps a number as it is.
func exact(number string) bool {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	return len(strings.TrimRight(digits, "0")) <= maxDigits
}

// serial is a time as spreadsheets count it: the days since the end of 1899.
func serial(t time.Time) float64 {
	_, offset := t.Zone()
	const day, milli = 24 * time.Hour, 1000.0
	first := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	shown := t.UTC().Add(time.Duration(offset) * time.Second)
	seconds := math.Round(float64(shown.UnixMilli()-first.UnixMilli())/milli*milli) / milli
	return seconds / day.Seconds()
}
