package lang

import (
	"strconv"

	"github.com/valyala/fastjson"

	"hookgate/internal/jsondoc"
)

// fact is a value as it stands in the parsed text, not decoded. It is good
// until the Scope makes the next one.
type fact struct {
	kind  fastjson.Type   // null: missing, too
	text  []byte          // of a string; what is no UTF-8 in it stands as it is
	value *fastjson.Value // of what comes from data; nil: null
}

// fact finds the value at a path. It reports false where the path breaks off,
// or where its value is no fact: then the expression must be evaluated.
func (s *Scope) fact(p *path) (fact, bool) {
	if p.root != "data" {
		return s.flatFact(p)
	}
	value, ok := s.resolve(p)
	if !ok || value == nil {
		return fact{kind: fastjson.TypeNull}, ok
	}
	f := fact{kind: value.Type(), value: value}
	if f.kind == fastjson.TypeString {
		f.text = value.GetStringBytes()
	}
	return f, true
}

// flatFact is a text of event, headers or query.
func (s *Scope) flatFact(p *path) (fact, bool) {
	if len(p.rest) != 1 || p.parent != nil || p.rest[0].index >= 0 {
		return fact{}, false
	}
	key := p.rest[0].key
	var text string
	found := true
	switch p.root {
	case "event":
		switch key {
		case "id":
			text = s.Event.ID
		case "source":
			text = s.Event.Source
		case "type":
			text = s.Event.Type
		default: // time is not worth it
			return fact{}, false
		}
	case "headers":
		text, found = s.headers[key]
	case "query":
		var value any
		if value, found = s.query[key]; found {
			var isText bool
			if text, isText = value.(string); !isText {
				return fact{}, false
			}
		}
	}
	if !found {
		return fact{kind: fastjson.TypeNull}, true
	}
	s.text = append(s.text[:0], text...)
	return fact{kind: fastjson.TypeString, text: s.text}, true
}

// equals is f == literal.
func (f *fact) equals(literal any) answer {
	switch want := literal.(type) {
	case nil:
		return answerOf(f.kind == fastjson.TypeNull)
	case bool:
		return answerOf((want && f.kind == fastjson.TypeTrue) || (!want && f.kind == fastjson.TypeFalse))
	case string:
		return answerOf(f.kind == fastjson.TypeString && string(f.text) == want)
	case int:
		if f.kind != fastjson.TypeNumber {
			return no
		}
		if n, ok := jsondoc.Integer(f.value); ok {
			return answerOf(n == int64(want))
		}
	}
	return unsure
}

// scalar is the fact that the expression comes to where it is nothing but the
// path of a text or an integer; false where it must be evaluated.
func (p *program) scalar(s *Scope) (fact, bool) {
	if p.only == nil {
		return fact{}, false
	}
	s.enter(p.space)
	f, ok := s.fact(p.only)
	switch {
	case !ok:
	case f.kind == fastjson.TypeString:
		return f, true
	case f.kind == fastjson.TypeNumber:
		_, ok = jsondoc.Integer(f.value)
		return f, ok
	}
	return fact{}, false
}

// appendContent appends a scalar as it stands in a JSON string.
func (f *fact) appendContent(dst []byte) []byte {
	if f.kind == fastjson.TypeString {
		return jsondoc.AppendContent(dst, f.text)
	}
	n, _ := jsondoc.Integer(f.value)
	return strconv.AppendInt(dst, n, 10)
}

// appendJSON appends a scalar as JSON.
func (f *fact) appendJSON(dst []byte) []byte {
	if f.kind == fastjson.TypeString {
		return append(f.appendContent(append(dst, '"')), '"')
	}
	return f.appendContent(dst)
}

// String is a scalar as text.
func (f *fact) String() string {
	if f.kind == fastjson.TypeString {
		return jsondoc.ValidText(string(f.text))
	}
	n, _ := jsondoc.Integer(f.value)
	return strconv.FormatInt(n, 10)
}
