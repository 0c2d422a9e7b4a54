package forms

import (
	"bytes"
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hookgate/internal/contact"
	"hookgate/internal/locale"
)

// numberForm is the HTML standard's "valid floating-point number".
var numberForm = regexp.MustCompile(`\A(-?)([0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z`)

// maxWhole is the largest whole number that every program holds exactly.
const maxWhole = 1 << 53

// unchecked are the texts that a checkbox counts as not checked; any other is
// checked, for a page may give its checkbox any value.
var unchecked = []string{"", "0", "false", "off", "no", "nein"}

// read gives the field's value in data, nil for nothing, and the problem with
// it. Of a value that is refused, the text is kept.
//
// A field has one value, whatever was posted, unless it is declared for
// several: rules need not expect a list where nobody declared one. Only of a
// form builder, with keep, a list stays one.
func (fd *field) read(e *entry, keep bool) (any, Problem) {
	switch {
	case fd.isFile():
		return fd.readFiles(e)
	case fd.multi():
		return fd.readMulti(e)
	case fd.kind == checkboxKind:
		return fd.readCheckbox(e)
	case e == nil || len(e.values) == 0:
		return nil, fd.missing()
	case !fd.list && !keep:
		return fd.readSingle(e)
	case !e.list && !fd.list && len(e.values) == 1:
		return fd.readOne(e.values[0], fd.required)
	}
	var list []any
	var first Problem
	for _, v := range e.values {
		one, problem := fd.readOne(v, false)
		if problem.Code != "" && first.Code == "" {
			first = problem
		}
		if one != nil {
			list = append(list, one)
		}
	}
	if fd.required && !slices.ContainsFunc(list, func(v any) bool { return !blank(plain(v)) }) {
		first = fd.missing()
	}
	return list, first
}

// readSingle reads a field that has one value: of several the last one that is
// filled in, as for checkboxes and in PHP. An e-mail field refuses a second
// address: which one is meant nobody knows, and mail is sent there.
func (fd *field) readSingle(e *entry) (any, Problem) {
	at := e.last()
	value, problem := fd.readOne(e.values[at], fd.required)
	differs := func(v any) bool {
		text := visible(plain(v))
		return text != "" && text != visible(plain(e.values[at]))
	}
	if fd.kind == emailKind && problem.Code == "" && slices.ContainsFunc(e.values, differs) {
		problem = Problem{Code: TypeEmail}
	}
	return value, problem
}

func (fd *field) missing() Problem {
	if !fd.required {
		return Problem{}
	}
	return Problem{Code: Required}
}

func (fd *field) readCheckbox(e *entry) (any, Problem) {
	// Pages put a hidden "0" before the box (Rails), or "false" behind it
	// (ASP.NET): it is ticked where any value says so.
	if e == nil || !slices.ContainsFunc(e.values, ticks) {
		return false, fd.missing()
	}
	return true, Problem{}
}

func ticks(v any) bool { return !slices.Contains(unchecked, strings.ToLower(visible(plain(v)))) }

func (fd *field) readMulti(e *entry) (any, Problem) {
	list := []any{}
	problem := Problem{}
	if e != nil {
		for _, v := range e.values {
			text := plain(v)
			if text == "" {
				continue
			}
			if !fd.allows(text) {
				problem = Problem{Code: NoOption}
			}
			list = append(list, text)
		}
	}
	count := float64(len(list))
	switch {
	case count == 0:
		problem = fd.missing()
	case problem.Code != "":
	case fd.min != nil && count < fd.min.number:
		problem = Problem{Code: TooFew, Limit: fd.min.text}
	case fd.max != nil && count > fd.max.number:
		problem = Problem{Code: TooMuch, Limit: fd.max.text}
	}
	return list, problem
}

// readOne reads one value of a field that is no checkbox.
func (fd *field) readOne(v any, required bool) (any, Problem) {
	switch v.(type) {
	case map[string]any, []any:
		return v, Problem{Code: TypeText}
	}
	text := plain(v)
	if blank(text) {
		problem := Problem{}
		if required {
			problem.Code = Required
		}
		if fd.kind.numeric() {
			return nil, problem
		}
		if fd.kind != textKind && fd.kind != hiddenKind {
			text = ""
		}
		return text, problem
	}
	switch fd.kind {
	case numberKind, integerKind:
		if _, typed := v.(string); !typed { // a number of JSON says what it is
			return fd.readDigits(text)
		}
		return fd.readNumber(visible(text))
	case dateKind:
		return fd.readDate(visible(text))
	case selectKind:
		if !fd.allows(text) {
			return text, Problem{Code: NoOption}
		}
		return text, Problem{}
	case telKind:
		dialled, ok := fd.readTel(visible(text))
		if !ok {
			return dialled, Problem{Code: TypeTel}
		}
		text = dialled
	case emailKind, urlKind:
		text = visible(text)
	case textKind, hiddenKind, checkboxKind, fileKind:
	}
	return text, fd.checkText(text)
}

// visible is a value without the blanks around it and without the characters
// that nobody sees: what is copied from address books, chats and web pages has
// marks of the reading direction and joints of words in it. Those that join
// letters, as Persian and Hindi write them, stay between two of these.
func visible(text string) string {
	text = strings.Map(func(r rune) rune {
		if invisible(r) && r != zwnj && r != zwj {
			return -1
		}
		return r
	}, text)
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || invisible(r) })
}

// blank reports whether a text has nothing that anybody sees.
func blank(text string) bool { return visible(text) == "" }

const zwnj, zwj = '\u200c', '\u200d'

// invisible are the characters of Unicode's category Cf, and the selectors of
// how the character before them looks.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r >= 0xfe00 && r <= 0xfe0f || r == 0x034f
}

// checkText checks the kinds that are texts; blank ones are not given to it.
func (fd *field) checkText(text string) Problem {
	switch {
	case fd.kind == emailKind && !contact.IsEmail(text):
		return Problem{Code: TypeEmail}
	case fd.kind == urlKind && !validURL(text):
		return Problem{Code: TypeURL}
	}
	length := float64(utf8.RuneCountInString(text))
	switch {
	case fd.min != nil && length < fd.min.number:
		return Problem{Code: TooShort, Limit: fd.min.text}
	case fd.max != nil && length > fd.max.number:
		return Problem{Code: TooLong, Limit: fd.max.text}
	case fd.pattern != nil && !fd.pattern.MatchString(text):
		return Problem{Code: Pattern}
	}
	return Problem{}
}

// readNumber reads what was typed, as people write it: 1.250,50. In the form's
// language a sign may part thousands that parts a fraction elsewhere; whoever
// typed 1.250 there meant one of two numbers, and is asked which.
func (fd *field) readNumber(text string) (any, Problem) {
	form := fd.speaks
	if form == nil {
		form = locale.English()
	}
	digits, reading := form.Read(text)
	m := numberForm.FindStringSubmatch(text)
	plain := m != nil && m[2]+m[3] != ""
	switch {
	case reading == locale.Ambiguous:
		return text, Problem{Code: AmbiguousNumber}
	case plain || reading == locale.Unreadable:
		return fd.readDigits(text)
	}
	return fd.readDigits(digits)
}

// readDigits reads a number as programs write it, and keeps the digits as they
// are: a long number stays exact.
func (fd *field) readDigits(text string) (any, Problem) {
	m := numberForm.FindStringSubmatch(text)
	value, err := strconv.ParseFloat(text, 64)
	if m == nil || m[2]+m[3] == "" || err != nil || math.IsInf(value, 0) || len(text) > 100 {
		return text, Problem{Code: TypeNumber}
	}
	whole := strings.TrimLeft(m[2], "0")
	if whole == "" {
		whole = "0"
	}
	number := json.Number(m[1] + whole + m[3] + m[4])
	if fd.kind == integerKind {
		if value != math.Trunc(value) || math.Abs(value) > maxWhole {
			return text, Problem{Code: TypeNumber}
		}
		if m[3]+m[4] != "" {
			number = json.Number(strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	switch {
	case fd.min != nil && value < fd.min.number:
		return number, Problem{Code: TooSmall, Limit: fd.min.text}
	case fd.max != nil && value > fd.max.number:
		return number, Problem{Code: TooLarge, Limit: fd.max.text}
	}
	return number, Problem{}
}

// readDate gives every date the same form, that of HTML.
func (fd *field) readDate(text string) (any, Problem) {
	day, ok := parseDay(text)
	if !ok {
		return text, Problem{Code: TypeDate}
	}
	text = day.Format(time.DateOnly)
	switch {
	case fd.min != nil && day.Before(fd.min.day):
		return text, Problem{Code: TooEarly, Limit: fd.min.text}
	case fd.max != nil && day.After(fd.max.day):
		return text, Problem{Code: TooLate, Limit: fd.max.text}
	}
	return text, Problem{}
}

// parseDay reads a date as <input type=date> sends it, or with dots: these stand
// between day, month and year in every country that writes them.
func parseDay(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2.1.2006"} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1 {
			return day, true
		}
	}
	return time.Time{}, false
}

func validURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= 2048 && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// appendJSON writes a value that was decoded from JSON or is a text; a value
// that JSON cannot hold (there is none in a body) becomes null.
func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		if v != "" {
			return append(dst, v...)
		}
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // the text stays as short and readable as it was typed
	if err := encoder.Encode(value); err != nil {
		return append(dst, "null"...)
	}
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plain is a posted value as text: what a text field makes of a JSON number.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return string(appendJSON(nil, v))
	}
}

func decimal(n int) string { return strconv.Itoa(n) }
