package locale_test

import (
	"testing"
	"time"

	"hookgate/internal/locale"
)

func find(t *testing.T, tag string) *locale.Locale {
	t.Helper()
	l, ok := locale.Find(tag)
	if !ok {
		t.Fatalf("there is no locale %q", tag)
	}
	return l
}

func TestFind(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"de": "de", "de_DE": "de", "DE-at": "de-AT", "de-CH-1996": "de-CH", "en-GB": "en", "pt_BR": "pt-BR"} {
		if got := find(t, tag).Tag(); got != want {
			t.Errorf("%s: got %s, want %s", tag, got, want)
		}
	}
	for _, tag := range []string{"", "xx", "deutsch", "-"} {
		if l, ok := locale.Find(tag); ok {
			t.Errorf("%q: got %s", tag, l.Tag())
		}
	}
	if got := locale.English().Tag(); got != "en" {
		t.Errorf("English is %s", got)
	}
}

// Every language has all of its names and signs.
func TestLocales_areWhole(t *testing.T) {
	t.Parallel()
	for _, tag := range locale.Tags() {
		l := find(t, tag)
		for m := time.January; m <= time.December; m++ {
			if l.Month(m, false) == "" || l.Month(m, true) == "" {
				t.Errorf("%s has no name for %s", tag, m)
			}
		}
		for d := time.Sunday; d <= time.Saturday; d++ {
			if l.Weekday(d, false) == "" || l.Weekday(d, true) == "" {
				t.Errorf("%s has no name for %s", tag, d)
			}
		}
		written := l.Number("-1234567.25")
		if got, reading := l.Read(written); got != "-1234567.25" || reading != locale.Readable {
			t.Errorf("%s writes %q, and reads %q from it", tag, written, got)
		}
		money, err := l.Money("-1234567.25", "EUR")
		if got, reading := l.Read(money); err != nil || got != "-1234567.25" || reading != locale.Readable {
			t.Errorf("%s writes %q, %v, and reads %q from it", tag, money, err, got)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for want, in := range map[string][3]string{
		"1.234,50 €": {"de", "1234.5", "EUR"}, "€1,234.50": {"en", "1234.5", "EUR"}, "-$0.50": {"en", "-0.5", "USD"}, "€ 1.234,50": {"de-AT", "1234.5", "EUR"},
		"CHF 1’234.50": {"de-CH", "1234.5", "CHF"}, "1 234,50 €": {"fr", "1234.5", "EUR"}, "1234,50 €": {"es", "1234.5", "EUR"}, "¥1,235": {"en", "1234.5", "JPY"},
		"1234,50 zł": {"pl", "1234.5", "PLN"}, "12 345,00 zł": {"pl", "12345", "PLN"}, "CHF 5.00": {"en", "5", "CHF"}, "€ 5,00": {"nl", "5", "eur"},
		"9.223.372.036.854.775.807,00 €": {"de", "9223372036854775807", "EUR"},
	} {
		if got, err := find(t, in[0]).Money(in[1], in[2]); err != nil || got != want {
			t.Errorf("%v: got %q, %v, want %q", in, got, err, want)
		}
	}
	if got, err := locale.English().Money("1", "Euro"); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		digits int
		want   string
	}{
		{"2.345", 2, "2.35"},
		{"2.344", 2, "2.34"},
		{"-2.5", 0, "-3"},
		{"1.005", 2, "1.01"},
		{"9.995", 2, "10.00"},
		{"5", 2, "5.00"},
		{"0.004", 2, "0.00"},
		{"-0.004", 2, "0.00"},
		{"1250", -2, "1300"},
		{"49", -2, "0"},
		{"50", -2, "100"},
		{"49", -3, "0"},
		{"-1", -5, "0"},
		{"0.5", 0, "1"},
		{".5", 0, "1"},
		{"99.99", 1, "100.0"},
	} {
		if got := locale.Round(c.in, c.digits); got != c.want {
			t.Errorf("%s to %d digits: got %s, want %s", c.in, c.digits, got, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag, text, want string
		reading         locale.Reading
	}{
		{"de", "1.234,56 €", "1234.56", locale.Readable},
		{"de", "12,50", "12.50", locale.Readable},
		{"de", "12.5", "12.5", locale.Readable},
		{"de", "1.250", "1250", locale.Ambiguous},
		{"de", "1,250", "1.250", locale.Readable},
		{"de", "0.250", "0.250", locale.Readable},
		{"de", "1.250.000", "1250000", locale.Readable},
		{"de", "1.250,-", "1250", locale.Readable},
		{"de", "1,250.50", "1250.50", locale.Readable},
		{"en", "1,234.56", "1234.56", locale.Readable},
		{"en", "1,250", "1250", locale.Ambiguous},
		{"en", "12,5", "12.5", locale.Readable},
		{"en", "EUR 1,234", "1234", locale.Ambiguous},
		{"en", "-$ 5", "-5", locale.Readable},
		{"en", "$-5", "-5", locale.Readable},
		{"en", "−5", "-5", locale.Readable},
		{"en", " 007 ", "7", locale.Readable},
		{"en", ".5", "0.5", locale.Readable},
		{"en", "+5", "5", locale.Readable},
		{"de-CH", "1'234.50 CHF", "1234.50", locale.Readable},
		{"fr", "1\u202f234,50", "1234.50", locale.Readable},
		{"en", "12345678901234567890", "12345678901234567890", locale.Readable},
		{"en", "", "", locale.Unreadable},
		{"en", "-", "", locale.Unreadable},
		{"en", "--5", "", locale.Unreadable},
		{"en", "5.", "", locale.Unreadable},
		{"en", "1e6", "", locale.Unreadable},
		{"en", "1,23,456", "", locale.Unreadable},
		{"en", "1.2.3", "", locale.Unreadable},
		{"en", "12 apples", "", locale.Unreadable},
		{"en", "19 %", "", locale.Unreadable},
		{"en", "10 03 2026", "", locale.Unreadable},
		{"en", "EUR", "", locale.Unreadable},
		{"en", ",", "", locale.Unreadable},
		{"en", "NaN", "", locale.Unreadable},
	} {
		if got, reading := find(t, c.tag).Read(c.text); got != c.want || reading != c.reading {
			t.Errorf("%s %q: got %q, %d, want %q, %d", c.tag, c.text, got, reading, c.want, c.reading)
		}
	}
}
