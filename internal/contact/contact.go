// Package contact knows what e-mail addresses and telephone numbers look like.
package contact

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// emailForm is the HTML standard's "valid e-mail address", with two changes:
// the domain has a dot, and may be written with the letters of any language
// (browsers turn these into ASCII, other clients do not).
var emailForm = regexp.MustCompile(`\A[a-zA-Z0-9.!#$%&'*+/=?^_{|}~` + "`" + `-]+@(?:[\pL\pN](?:[\pL\pN\pM-]{0,61}[\pL\pN\pM])?\.)+[\pL\pN](?:[\pL\pN\pM-]{0,61}[\pL\pN\pM])?\z`)

// IsEmail reports whether text is an e-mail address and nothing else.
func IsEmail(text string) bool {
	const longest = 254 // RFC 5321
	return len(text) <= longest && emailForm.MatchString(text)
}

// IsPhone reports whether text looks like a telephone number. It is wide on
// purpose: numbers are written in many ways.
func IsPhone(text string) bool {
	const longest = 100
	if len(text) > longest {
		return false
	}
	digits := 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsControl(r) || (!unicode.IsLetter(r) && !strings.ContainsRune(" \u00a0+()-–./*#,;:", r)):
			return false
		}
	}
	return digits >= 3
}

// IsRegion reports whether code is a country's, in two capital letters, whose
// telephone numbers are known.
func IsRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }

// Dial is a telephone number in the form that programs dial: +4940123456.
// region is the country, in two capital letters, of numbers that are written
// without one; "" is none. Whether the number is assigned is not asked: new
// ranges would be refused.
func Dial(text, region string) (string, bool) {
	number, ok := parse(text, region)
	if !ok {
		return "", false
	}
	dialled := phonenumbers.Format(number, phonenumbers.E164)
	if extension := number.GetExtension(); extension != "" {
		dialled += ";ext=" + extension // RFC 3966, section 3
	}
	return dialled, true
}

// Written is a telephone number as people in the region write it: that of
// another country, and any where region is "", with its country's code.
func Written(text, region string) (string, bool) {
	number, ok := parse(text, region)
	if !ok {
		return "", false
	}
	if region != "" && phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode())) == region {
		return phonenumbers.Format(number, phonenumbers.NATIONAL), true
	}
	return phonenumbers.Format(number, phonenumbers.INTERNATIONAL), true
}

func parse(text, region string) (*phonenumbers.PhoneNumber, bool) {
	if !IsPhone(text) {
		return nil, false
	}
	number, err := phonenumbers.Parse(text, region)
	if err != nil || !diallable(number) {
		return nil, false
	}
	return number, true
}

// diallable reports whether a number can be dialled from everywhere. Some can
// within a town alone, or within a country: an emergency call has no country's
// code before it. Where 0 is what national calls begin with, one that begins
// with it behind the country's code is too short to be one.
func diallable(number *phonenumbers.PhoneNumber) bool {
	country := phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode()))
	short := phonenumbers.GetNddPrefixForRegion(country, true) == "0" && strings.HasPrefix(phonenumbers.GetNationalSignificantNumber(number), "0")
	return !short && phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE
}
