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
	text := problemTexts[p.Code].in(lang)
	if special, ok := requiredTexts[p.kind]; ok && p.Code == Required {
		text = special.in(lang)
	}
	if p.Limit == "1" {
		text = strings.ReplaceAll(text, "characters", "character")
	}
	return strings.ReplaceAll(text, "{limit}", p.Limit)
}

// bilingual is a text in the languages that visitors are spoken to.
type bilingual struct{ en, de string }

func (t bilingual) in(lang Lang) string {
	if lang == German {
		return t.de
	}
	return t.en
}

var problemTexts = map[Code]bilingual{
	Required:    {"Please fill in this field.", "Bitte füllen Sie dieses Feld aus."},
	TypeText:    {"This value must be a text.", "Dieser Wert muss ein Text sein."},
	TypeEmail:   {"Please enter an e-mail address, such as name@example.com.", "Bitte geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com."},
	TypeTel:     {"Please enter a telephone number, such as +49 40 123456.", "Bitte geben Sie eine Telefonnummer ein, zum Beispiel +49 40 123456."},
	TypeURL:     {"Please enter a web address that starts with https:// or http://.", "Bitte geben Sie eine Webadresse ein, die mit https:// oder http:// beginnt."},
	TypeNumber:  {"Please enter a number, such as 1250 or 12.5.", "Bitte geben Sie eine Zahl ein, zum Beispiel 1250 oder 12.5 (mit Punkt)."},
	TypeDate:    {"Please enter a date as year-month-day, such as 2026-12-31.", "Bitte geben Sie ein Datum als Jahr-Monat-Tag ein, zum Beispiel 2026-12-31."},
	TooShort:    {"Please enter at least {limit} characters.", "Bitte geben Sie mindestens {limit} Zeichen ein."},
	TooLong:     {"Please enter no more than {limit} characters.", "Bitte geben Sie höchstens {limit} Zeichen ein."},
	TooSmall:    {"Please enter a number of at least {limit}.", "Bitte geben Sie eine Zahl von mindestens {limit} ein."},
	TooLarge:    {"Please enter a number of at most {limit}.", "Bitte geben Sie eine Zahl von höchstens {limit} ein."},
	TooEarly:    {"Please enter a date on or after {limit}.", "Bitte geben Sie ein Datum ab dem {limit} ein."},
	TooLate:     {"Please enter a date on or before {limit}.", "Bitte geben Sie ein Datum bis zum {limit} ein."},
	Pattern:     {"Please check the format of this value.", "Bitte prüfen Sie das Format dieser Angabe."},
	NoOption:    {"Please choose one of the options.", "Bitte wählen Sie eine der Möglichkeiten."},
	TooFew:      {"Please choose at least {limit}.", "Bitte wählen Sie mindestens {limit} aus."},
	TooMuch:     {"Please choose no more than {limit}.", "Bitte wählen Sie höchstens {limit} aus."},
	Unknown:     {"The form has no such field.", "Dieses Feld gibt es im Formular nicht."},
	TooMany:     {"The form has more than {limit} fields.", "Das Formular hat mehr als {limit} Felder."},
	NameTooLong: {"The name of this field is too long.", "Der Name dieses Feldes ist zu lang."},
}

// requiredTexts are better words for an empty field of these kinds.
var requiredTexts = map[kind]bilingual{
	checkboxKind: {"Please tick this box.", "Bitte kreuzen Sie dieses Feld an."},
	selectKind:   {"Please choose an option.", "Bitte wählen Sie etwas aus."},
}
