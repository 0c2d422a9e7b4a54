package recipe

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

// unit is what a receiver counts when it limits a text.
type unit struct {
	plural string
	// size is what one character counts; nil: that follows from the whole text,
	// which count knows. Such a text cannot be cut.
	size  func(rune) int
	count func(text string) int
}

// units are those that a recipe can name; "" is that of most receivers.
func units() map[string]unit {
	bySize := func(plural string, size func(rune) int) unit {
		return unit{plural: plural, size: size, count: func(text string) int {
			n := 0
			for _, r := range text {
				n += size(r)
			}
			return n
		}}
	}
	return map[string]unit{
		"":      {plural: "characters", size: func(rune) int { return 1 }, count: utf8.RuneCountInString},
		"utf16": bySize("UTF-16 units", utf16Units),
		"bytes": bySize("bytes", utf8.RuneLen),
		"json":  {plural: "bytes as JSON", size: func(r rune) int { return jsonBytes(string(r)) }, count: jsonBytes},
		"html":  {plural: "characters without its mark-up", count: visible},
	}
}

// utf16Units is 2 for what is beyond the basic plane, such as most emoji.
func utf16Units(r rune) int {
	const beyond = 0x10000
	if r >= beyond {
		return 2
	}
	return 1
}

// jsonBytes is the length of a text within the quotes of a JSON string.
func jsonBytes(text string) int { return len(jsondoc.AppendContent(nil, text)) }

// visible counts the characters of HTML that are left when tags are gone and
// character references are decoded.
func visible(text string) int {
	n := 0
	for z := nethtml.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case nethtml.ErrorToken:
			return n
		case nethtml.TextToken:
			n += utf8.RuneCountInString(html.UnescapeString(string(z.Raw())))
		case nethtml.StartTagToken, nethtml.EndTagToken, nethtml.SelfClosingTagToken, nethtml.CommentToken, nethtml.DoctypeToken:
		}
	}
}

// prefix is the longest start of text, in whole characters, that counts at
// most limit.
func (u unit) prefix(text string, limit int) string {
	for i, r := range text {
		if limit -= u.size(r); limit < 0 {
			return text[:i]
		}
	}
	return text
}

const ellipsis = "…"

// cut is text within limit; what was too long ends with an ellipsis.
func (in *Input) cut(text string) string {
	if in.unit.count(text) <= in.Max {
		return text
	}
	text = in.unit.prefix(text, in.Max-in.unit.count(ellipsis))
	if in.Escape == "markdown" && (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1 {
		text = text[:len(text)-1] // what it escaped is gone
	}
	return text + ellipsis
}

// split is text in pieces of which each is within the limit.
func (in *Input) split(text string) []any {
	var pieces []any
	for len(pieces) < in.Split-1 && in.unit.count(text) > in.Max {
		piece := in.unit.prefix(text, in.Max)
		pieces, text = append(pieces, piece), text[len(piece):]
	}
	return append(pieces, in.cut(text))
}

// fit is text as the receiver takes it.
func (in *Input) fit(text, vendor string) (any, error) {
	switch {
	case in.Split > 0:
		return in.split(text), nil
	case in.Max == 0:
		return text, nil
	case in.Cut:
		return in.cut(text), nil
	}
	if count := in.unit.count(text); count > in.Max {
		return nil, fmt.Errorf("%s has %d %s, %s takes %d", in.Name, count, in.unit.plural, vendor, in.Max)
	}
	return text, nil
}

// fitEach is a mapping whose texts are each as the receiver takes them.
func (in *Input) fitEach(texts map[string]any, vendor string) (any, error) {
	out := make(map[string]any, len(texts))
	for key, value := range texts {
		switch value.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("%s.%s is not a text", in.Name, key)
		}
		fitting, err := in.fit(plainText(value), vendor)
		if err != nil {
			return nil, err
		}
		out[key] = fitting
	}
	return out, nil
}

// length reads how long an input may be and what is done with a longer one.
func (b *builder) length(in *Input, y *inputYAML) {
	in.Max, in.Cut, in.Split = y.Max, y.Cut, y.Split
	unit, known := units()[y.Unit.Value]
	if in.unit = unit; !known {
		names := []string{"utf16", "bytes", "json", "html"}
		b.add(y.Unit.Diag("bad-value", "it can be "+joined(names), "there is no unit %q", y.Unit.Value))
		in.unit = units()[""]
	}
	var err error
	switch textual := in.Type == yamlnode.TextType || in.Type == yamlnode.MappingType; {
	case (!y.Unit.IsZero() || in.Cut || in.Split > 0) && (in.Max == 0 || !textual):
		err = errors.New(`"unit", "cut" and "split" go with "max" and a text, or a map of texts`)
	case in.unit.size == nil && (in.Cut || in.Split > 0):
		err = errors.New(`a text that is counted as html cannot be cut or split`)
	case (in.Cut || in.Split > 0) && in.Max < in.unit.count(ellipsis):
		err = errors.New(`"max" leaves no room for the … of a text that was cut`)
	}
	if err != nil {
		b.add(y.Doc.Diag("conflict", "", "%s", err))
	}
}
