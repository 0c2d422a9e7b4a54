package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxAddress    = 254 // characters (RFC 5321, section 4.5.3.1.3, without the brackets)
	maxRecipients = 100 // of one message, which every server takes (section 4.5.3.1.8)
)

// parseAddress reads "ada@example.com" or "Ada Lovelace <ada@example.com>".
// The name may hold any character: what the standard wants quoted, need not be
// quoted here, for names come from forms. A domain that is written in another
// script becomes its ASCII form.
func parseAddress(text string) (*mail.Address, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("it is empty")
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		parsed, err = parseLoosely(text)
	}
	if err != nil {
		return nil, err
	}
	return checkAddress(parsed)
}

// parseLoosely reads a name that the standard wants quoted, before <address>.
func parseLoosely(text string) (*mail.Address, error) {
	open := strings.LastIndexByte(text, '<')
	if open < 0 || !strings.HasSuffix(text, ">") {
		return nil, errors.New("it is not an address like ada@example.com")
	}
	parsed, err := mail.ParseAddress(text[open+1 : len(text)-1])
	if err != nil {
		return nil, errors.New("what stands in < > is not an address like ada@example.com")
	}
	parsed.Name = strings.Trim(strings.TrimSpace(text[:open]), `"`)
	return parsed, nil
}

func checkAddress(a *mail.Address) (*mail.Address, error) {
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	ascii, err := idna.Lookup.ToASCII(domain)
	switch {
	case err != nil || ascii == "":
		return nil, errors.New("its domain is not one that mail can be sent to")
	case strings.ContainsFunc(a.Address, unicode.IsControl) || strings.ContainsFunc(a.Name, unicode.IsControl):
		return nil, errors.New("it holds a line break or another control character")
	case len(local)+len(ascii) >= maxAddress:
		return nil, fmt.Errorf("it is longer than %d characters", maxAddress)
	}
	return &mail.Address{Name: a.Name, Address: local + "@" + ascii}, nil
}

// splitAddresses splits "a@x, Doe, Jane <b@y>" at the commas that end an
// address: those outside of quotes and brackets whose left side has an @.
func splitAddresses(text string) []string {
	var list []string
	start, quoted, inside := 0, false, false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '<':
			inside = true
		case r == '>':
			inside = false
		case (r == ',' || r == ';') && !inside && strings.Contains(text[start:i], "@"):
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(text[start:]); rest != "" {
		list = append(list, rest)
	}
	return list
}

// readAddresses reads what a template made of an input: a text with one or
// more addresses, or a list of such. Nothing is no address.
func readAddresses(key string, raw json.RawMessage) ([]*mail.Address, error) {
	texts, err := addressTexts(key, raw)
	if err != nil {
		return nil, err
	}
	var list []*mail.Address
	for _, text := range texts {
		a, err := parseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no address: %w", key, excerpt(text), err)
		}
		list = append(list, a)
	}
	return list, nil
}

func addressTexts(key string, raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return splitAddresses(one), nil
	}
	var several []*string
	if err := json.Unmarshal(raw, &several); err != nil {
		return nil, fmt.Errorf("%s is neither an address nor a list of addresses", key)
	}
	var list []string
	for _, text := range several {
		if text != nil {
			list = append(list, splitAddresses(*text)...)
		}
	}
	return list, nil
}

// escapeAddress keeps a value from adding recipients: the characters that
// separate and frame addresses become spaces.
func escapeAddress(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`,;:<>()[]"\`, r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}

// escapeHeader keeps a value in its line.
func escapeHeader(text string) string {
	if !strings.ContainsFunc(text, breaksLine) {
		return text
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if breaksLine(r) {
			return ' '
		}
		return r
	}, text))
}

// breaksLine reports whether a character ends a line somewhere, or is one that
// nobody sees.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// isASCII reports whether an address can be sent without SMTPUTF8.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
