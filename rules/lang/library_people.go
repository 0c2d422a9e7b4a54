package lang

import (
	"slices"
	"strings"

	"hookgate/internal/contact"
)

var peopleFunctions = []function{
	{
		name: "first_name", params: []param{text("name")}, result: textResult,
		doc:     "The first name in the name of a person, without a title before it.",
		example: `first_name(data.name)`, value: `"Ada"`, more: []Example{{`first_name("Lovelace, Dr. Ada")`, `"Ada"`}},
		call: func(_ *meter, args []any) (any, error) {
			first, _ := nameParts(textOr(args[0], ""))
			return textOrNil(first), nil
		},
	},
	{
		name: "last_name", params: []param{text("name")}, result: textResult,
		doc:     "The family name, with what belongs to it (von, van der, de …); null where there is one name only.",
		example: `last_name("Ada von Lovelace")`, value: `"von Lovelace"`, more: []Example{{`last_name("Prof. Dr. Grace Hopper")`, `"Hopper"`}},
		call: func(_ *meter, args []any) (any, error) {
			_, last := nameParts(textOr(args[0], ""))
			return textOrNil(last), nil
		},
	},
	{
		name: "is_email", params: []param{anything("value")}, result: boolResult, null: "false",
		doc:     "Whether a value is an e-mail address and nothing else.",
		example: `is_email("ada@example.com")`, value: `true`, more: []Example{{`is_email("ada@example")`, `false`}},
		call: func(_ *meter, args []any) (any, error) { return contact.IsEmail(textOr(args[0], "")), nil },
	},
	{
		name: "email_domain", params: []param{text("email")}, result: textResult,
		doc:     "What stands behind the @ of an e-mail address, in small letters; null where the text is none.",
		example: `email_domain(data.email)`, value: `"example.com"`,
		call: func(_ *meter, args []any) (any, error) {
			address := strings.TrimSpace(textOr(args[0], ""))
			if !contact.IsEmail(address) {
				return nil, nil
			}
			return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:]), nil
		},
	},
	{
		name: "phone", params: []param{text("number"), country()}, result: textResult,
		doc:     "A telephone number as programs dial it; the country is that of numbers that are written without one. What is no such number gives null.",
		example: `phone(data.phone, "DE")`, value: `"+49301234567"`, more: []Example{{`phone("+43 1 5056", "DE")`, `"+4315056"`}},
		call: func(_ *meter, args []any) (any, error) { return dialled("phone", args, contact.Dial) },
	},
	{
		name: "format_phone", params: []param{text("number"), country()}, result: textResult,
		doc:     "A telephone number as people in the country write it; one of another country with its code.",
		example: `format_phone("+49301234567", "DE")`, value: `"030 1234567"`, more: []Example{{`format_phone("+49301234567")`, `"+49 30 1234567"`}},
		call: func(_ *meter, args []any) (any, error) { return dialled("format_phone", args, contact.Written) },
	},
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func country() param {
	return text("country").or("").checked(func(code string) error { return checkCountry("a country", code) })
}

func checkCountry(name, code string) error {
	if code == "" || contact.IsRegion(code) {
		return nil
	}
	return limitf("%s: %q is no country's code of two letters (ISO 3166), such as DE", name, code)
}

func dialled(name string, args []any, write func(text, region string) (string, bool)) (any, error) {
	region := textOr(args[1], "")
	if err := checkCountry(name, region); err != nil {
		return nil, err
	}
	number, ok := write(strings.TrimSpace(textOr(args[0], "")), region)
	if !ok {
		return nil, nil
	}
	return number, nil
}

// Words in names that are neither a first name nor a family name, and those
// with which a family name begins; in small letters.
var (
	titles = []string{
		"herr", "frau", "hr.", "fr.", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "miss", "sir", "dr", "dr.", "prof", "prof.", "dipl.-ing.", "ing.", "mag.", "med.",
		"m.", "mme", "mlle", "sig.", "sig.ra", "sr.", "sra.", "don", "doña",
	}
	behindNames = []string{"jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "ph.d.", "md", "m.d.", "esq.", "mba", "m.sc.", "b.sc.", "m.a.", "b.a."}
	particles   = []string{
		"von", "vom", "van", "de", "der", "den", "del", "della", "di", "da", "dos", "du", "des", "la", "le", "zu", "zum", "zur", "ter", "ten", "el", "al", "bin", "ibn", "af", "av", "auf", "st.",
	}
)

// nameParts are the first name and the family name of a person.
func nameParts(name string) (first, last string) {
	is := func(word string, list []string) bool { return slices.Contains(list, strings.ToLower(word)) }
	const longest = 200
	if len(name) > longest {
		return "", ""
	}
	if family, given, found := strings.Cut(name, ","); found {
		if !is(strings.TrimSpace(given), behindNames) { // Lovelace, Ada
			first, _ = nameParts(given)
			return first, strings.Join(strings.Fields(family), " ")
		}
		name = family
	}
	words := strings.Fields(name)
	for len(words) > 1 && is(words[0], titles) {
		words = words[1:]
	}
	for len(words) > 1 && is(words[len(words)-1], behindNames) {
		words = words[:len(words)-1]
	}
	if len(words) < 2 {
		return strings.Join(words, ""), ""
	}
	begin := len(words) - 1
	for i := 1; i < begin; i++ {
		if is(words[i], particles) {
			begin = i
		}
	}
	return words[0], strings.Join(words[begin:], " ")
}
