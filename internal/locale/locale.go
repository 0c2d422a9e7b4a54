// Package locale is how languages write numbers, money and dates, and how
// numbers that people wrote are read.
package locale

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/bg"
	"github.com/go-playground/locales/cs"
	"github.com/go-playground/locales/da"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/de_AT"
	"github.com/go-playground/locales/el"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fi"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/hr"
	"github.com/go-playground/locales/hu"
	"github.com/go-playground/locales/it"
	"github.com/go-playground/locales/ja"
	"github.com/go-playground/locales/nb"
	"github.com/go-playground/locales/nl"
	"github.com/go-playground/locales/pl"
	"github.com/go-playground/locales/pt"
	"github.com/go-playground/locales/ro"
	"github.com/go-playground/locales/ru"
	"github.com/go-playground/locales/sk"
	"github.com/go-playground/locales/sl"
	"github.com/go-playground/locales/sv"
	"github.com/go-playground/locales/tr"
	"github.com/go-playground/locales/uk"
	"github.com/go-playground/locales/zh"
)

// Locale is how one language, or one country, writes. The zero Locale is none.
type Locale struct {
	tag  string
	from func() locales.Translator

	decimal, group string
	money          moneyForm
	sparse         bool // a number of four digits is not grouped

	months, monthsShort, days, daysShort []string
}

// moneyForm is where the currency stands.
type moneyForm int

const (
	behind moneyForm = iota // 1 €
	before                  // €1
	apart                   // € 1
)

// all are the locales of the table with their names and signs.
var all = sync.OnceValue(func() []Locale { return compile(table) })

// table are the locales, by their tags. The names of months and days, and the
// signs in numbers, are CLDR's but for those that stand here.
var table = []Locale{
	{tag: "en", from: en.New, money: before},
	{tag: "bg", from: bg.New, sparse: true},
	{tag: "cs", from: cs.New},
	{tag: "da", from: da.New},
	{tag: "de", from: de.New},
	{tag: "de-AT", from: de_AT.New, money: apart, group: "."},
	{tag: "de-CH", from: de.New, money: apart, decimal: ".", group: "’"},
	{tag: "el", from: el.New},
	{tag: "es", from: es.New, sparse: true},
	{tag: "fi", from: fi.New},
	{tag: "fr", from: fr.New},
	{tag: "hr", from: hr.New},
	{tag: "hu", from: hu.New},
	{tag: "it", from: it.New},
	{tag: "ja", from: ja.New, money: before},
	{tag: "nb", from: nb.New},
	{tag: "nl", from: nl.New, money: apart},
	{tag: "pl", from: pl.New, sparse: true},
	{tag: "pt", from: pt.New, sparse: true},
	{tag: "pt-BR", from: pt.New, money: apart, group: "."},
	{tag: "ro", from: ro.New},
	{tag: "ru", from: ru.New},
	{tag: "sk", from: sk.New},
	{tag: "sl", from: sl.New},
	{tag: "sv", from: sv.New},
	{tag: "tr", from: tr.New, money: before},
	{tag: "uk", from: uk.New},
	{tag: "zh", from: zh.New, money: before},
}

// English is what is written where nothing else is said.
func English() *Locale { return &all()[0] }

// signs are what the data of CLDR have beside Translator's methods.
type signs interface {
	Decimal() string
	Group() string
}

func compile(list []Locale) []Locale {
	list = slices.Clone(list)
	for i := range list {
		l := &list[i]
		data := l.from()
		if s, ok := data.(signs); ok {
			l.decimal, l.group = or(l.decimal, s.Decimal()), or(l.group, plainSpace(s.Group()))
		}
		l.months, l.monthsShort = data.MonthsWide(), data.MonthsAbbreviated()
		l.days, l.daysShort = data.WeekdaysWide(), data.WeekdaysAbbreviated()
	}
	return list
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// plainSpace has a space in place of those that do not break a line: what
// looks the same should be the same in a comparison.
func plainSpace(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

// Find finds a locale by its tag, such as de, de-AT or de_AT. Of a country
// that is not known, the language counts.
func Find(tag string) (*Locale, bool) {
	list := all()
	tag = strings.ReplaceAll(tag, "_", "-")
	for tag != "" {
		if i := slices.IndexFunc(list, func(l Locale) bool { return strings.EqualFold(l.tag, tag) }); i >= 0 {
			return &list[i], true
		}
		cut := strings.LastIndexByte(tag, '-')
		tag = tag[:max(0, cut)]
	}
	return nil, false
}

// Tags are the tags of all locales.
func Tags() []string {
	tags := make([]string, len(table))
	for i := range table {
		tags[i] = table[i].tag
	}
	return tags
}

// Tag is the locale's name, as BCP 47 has it.
func (l *Locale) Tag() string { return l.tag }

// Month is the month's name as it stands behind a day: März, Mär.
func (l *Locale) Month(m time.Month, short bool) string {
	if short {
		return l.monthsShort[m-1]
	}
	return l.months[m-1]
}

// Weekday is the day's name: Dienstag, Di.
func (l *Locale) Weekday(d time.Weekday, short bool) string {
	if short {
		return l.daysShort[d]
	}
	return l.days[d]
}
