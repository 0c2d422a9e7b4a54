package forms

import "strings"

// Code names what is wrong with a value, for programs.
type Code string

// The codes. They are part of the public interface and do not change.
const (
	Required    Code = "REQUIRED"
	TypeText    Code = "TYPE_TEXT" // an object or a nested list where a text belongs
	TypeEmail   Code = "TYPE_EMAIL"
	TypeTel     Code = "TYPE_TEL"
	TypeURL     Code = "TYPE_URL"
	TypeNumber  Code = "TYPE_NUMBER"
	TypeDate    Code = "TYPE_DATE"
	TooShort    Code = "TOO_SHORT"
	TooLong     Code = "TOO_LONG"
	TooSmall    Code = "TOO_SMALL"
	TooLarge    Code = "TOO_LARGE"
	TooEarly    Code = "TOO_EARLY"
	TooLate     Code = "TOO_LATE"
	Pattern     Code = "PATTERN"
	NoOption    Code = "NO_OPTION"
	TooFew      Code = "TOO_FEW"  // choices
	TooMuch     Code = "TOO_MANY" // choices
	Unknown     Code = "UNKNOWN_FIELD"
	TooMany     Code = "TOO_MANY_FIELDS"
	NameTooLong Code = "NAME_TOO_LONG"

	TypeFile     Code = "TYPE_FILE" // a text where a file belongs
	FileType     Code = "FILE_TYPE"
	FileTooLarge Code = "FILE_TOO_LARGE"
	FileEmpty    Code = "FILE_EMPTY"
	TooManyFiles Code = "TOO_MANY_FILES"
)

// Problem is one value that the visitor has to correct.
type Problem struct {
	Field string // the field's name, "" for the post as a whole
	Code  Code
	Limit string // the min or max that it is about, "" for other codes

	kind   kind
	custom string
}

// Message is the problem in words: the field's own `error` if it has one.
func (p Problem) Message(lang Lang) string {
	if p.custom != "" {
		return p.custom
	}
	limit := p.Limit
	switch p.Code { //nolint:exhaustive // of the others the limit is the same in every language
	case TooEarly, TooLate:
		limit = lang.day(limit)
	case FileTooLarge:
		limit = strings.Replace(limit, ".", lang.texts().Format.Decimal, 1)
	case FileType:
		limit = lang.fileTypes(limit)
	}
	return strings.ReplaceAll(lang.problem(p.Code, p.kind, p.Limit), "{limit}", limit)
}

// fileTypes are types of files for people, who are not to read image/*.
func (l Lang) fileTypes(words string) string {
	return strings.NewReplacer("image/*", l.page("images"), "audio/*", l.page("audio"), "video/*", l.page("videos")).Replace(words)
}
