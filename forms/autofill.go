package forms

import "strings"

// completions are the HTML standard's autofill names for fields with these
// names, written without case, spaces, - and _. An own one in the
// configuration wins.
var completions = map[string]string{
	"name": "name", "fullname": "name", "yourname": "name", "contactname": "name", "ansprechpartner": "name",
	"firstname": "given-name", "givenname": "given-name", "vorname": "given-name",
	"lastname": "family-name", "surname": "family-name", "familyname": "family-name", "nachname": "family-name",
	"company": "organization", "organization": "organization", "organisation": "organization", "firma": "organization", "unternehmen": "organization",
	"jobtitle": "organization-title", "position": "organization-title",
	"street": "street-address", "address": "street-address", "strasse": "street-address", "straße": "street-address", "anschrift": "street-address",
	"city": "address-level2", "town": "address-level2", "ort": "address-level2", "stadt": "address-level2",
	"zip": "postal-code", "zipcode": "postal-code", "postcode": "postal-code", "postalcode": "postal-code", "plz": "postal-code", "postleitzahl": "postal-code",
	"country": "country-name", "land": "country-name",
	"birthday": "bday", "birthdate": "bday", "dateofbirth": "bday", "geburtsdatum": "bday",
}

// completion is what browsers may fill the field in with, "" where it is best
// left to them.
func (fd *field) completion() string {
	if fd.complete != "" {
		return fd.complete
	}
	switch fd.kind {
	case emailKind, telKind, urlKind:
		return string(fd.kind)
	case textKind, dateKind:
		last := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(fd.path[len(fd.path)-1]))
		return completions[last]
	default:
		return ""
	}
}

// written is the bound as it stands in the configuration, "" for none.
func (b *bound) written() string {
	if b == nil {
		return ""
	}
	return b.text
}
