package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// CheckAddresses checks the addresses that are certain before rendering.
func CheckAddresses(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Map {
		return diag.List{n.Diag("wrong-type", "write it like Ada <ada@example.com>", "%q must be an address or a list of addresses", KeyName(n))}
	}
	var list diag.List
	for _, item := range n.Items() {
		if nested(item) {
			list = append(list, item.Diag("wrong-type", "", "an entry of %q must be an address", KeyName(n)))
			continue
		}
		list = append(list, CheckAddresses(item)...)
	}
	text := n.Text()
	if n.Kind() != yamlnode.Scalar || Templated(n) {
		return list
	}
	for _, one := range splitAddresses(text.Value) {
		if _, err := ParseAddress(one); err != nil {
			list = append(list, text.Diag("bad-address", "write it like Ada <ada@example.com>", "%q is no address: %s", strings.TrimSpace(one), err))
		}
	}
	return list
}

// maxAddress is how long an address can be, in octets (RFC 5321, section
// 4.5.3.1.3, without the brackets).
const maxAddress = 254

// ParseAddress reads "ada@example.com" or "Ada Lovelace <ada@example.com>".
// The name may hold any character: what the standard wants quoted, need not be
// quoted here, for names come from forms. A domain that is written in another
// script becomes its ASCII form.
func ParseAddress(text string) (*mail.Address, error) {
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

// ParseOneAddress is ParseAddress for a text that must not hold several.
func ParseOneAddress(text string) (*mail.Address, error) {
	if len(splitAddresses(text)) > 1 {
		return nil, errors.New("it holds several addresses")
	}
	return ParseAddress(text)
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

// ReadAddresses reads what a template made of an input: a text with one or
// more addresses, or a list of such. Nothing is no address.
func ReadAddresses(key string, raw json.RawMessage) ([]*mail.Address, error) {
	texts, err := AddressTexts(key, raw)
	if err != nil {
		return nil, err
	}
	var list []*mail.Address
	for _, text := range texts {
		a, err := ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no address: %w", key, Excerpt(text), err)
		}
		list = append(list, a)
	}
	return list, nil
}

// AddressTexts are the addresses in what a template made of an input, as they
// are written.
func AddressTexts(key string, raw json.RawMessage) ([]string, error) {
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
