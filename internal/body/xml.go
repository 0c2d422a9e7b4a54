package body

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// xml reads an XML body. data is an object with the root element's name as
// its key. An element with neither attributes nor elements in it is its text;
// any other is an object of its elements, its attributes as "@name" and its
// text, if any, as "#text". Elements of one name are a list. Names lose their
// namespace prefix. Entities other than XML's own five are refused, so nothing
// outside of the body is ever read and nothing in it can grow.
func (c Content) xml(params map[string]string, lim Limits) (Content, error) {
	text := c.Raw
	charset := params["charset"]
	if charset != "" || bytes.HasPrefix(text, []byte(bomUTF8)) || bytes.HasPrefix(text, []byte(bomUTF16LE)) || bytes.HasPrefix(text, []byte(bomUTF16BE)) {
		var err error
		if text, err = toUTF8(text, charset); err != nil {
			return c, err
		}
		charset = "utf-8"
	}
	b := xmlBuilder{decoder: xml.NewDecoder(bytes.NewReader(text)), lim: lim, root: newObject()}
	b.decoder.CharsetReader = func(declared string, input io.Reader) (io.Reader, error) {
		if charset != "" { // converted already: the prolog's word is out of date
			return input, nil
		}
		encoding, err := htmlindex.Get(declared)
		if err != nil {
			return nil, errCharset
		}
		return encoding.NewDecoder().Reader(input), nil
	}
	if err := b.build(); err != nil {
		return c, err
	}
	out, err := b.root.json(lim)
	if err != nil {
		return c, err
	}
	return c.parsed(out)
}

var errCharset = errors.New("its charset is not known")

// element is one that is open.
type element struct {
	name string
	tree *tree
	text []byte
}

type xmlBuilder struct {
	decoder *xml.Decoder
	lim     Limits
	root    *tree
	open    []element
	values  int
}

func (b *xmlBuilder) build() error {
	for {
		token, err := b.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return b.fault(cause(err))
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := b.start(t); err != nil {
				return err
			}
		case xml.EndElement:
			b.end()
		case xml.CharData:
			if n := len(b.open); n > 0 {
				b.open[n-1].text = append(b.open[n-1].text, t...)
			} else if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte(bomUTF8)))) > 0 {
				return b.fault("text stands outside of the root element")
			}
		}
	}
	if len(b.root.items) == 0 {
		return b.fault("there is no element")
	}
	return nil
}

func (b *xmlBuilder) start(t xml.StartElement) error {
	b.values += 1 + len(t.Attr)
	switch {
	case len(b.open) == 0 && len(b.root.items) > 0:
		return b.fault("a second root element follows the first one")
	case len(b.open) >= b.lim.Depth:
		return b.fault(fmt.Sprintf("it nests deeper than %d levels", b.lim.Depth))
	case b.values > b.lim.Values:
		return tooMany(b.lim.Values, fmt.Sprintf("the XML has more than %d elements and attributes", b.lim.Values))
	}
	e := element{name: t.Name.Local, tree: newObject()}
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			e.tree.add("@"+a.Name.Local, leaf([]byte(a.Value)))
		}
	}
	b.open = append(b.open, e)
	return nil
}

// end closes the innermost element: the decoder has made sure that its tags
// match.
func (b *xmlBuilder) end() {
	e := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	text := bytes.TrimSpace(e.text)
	value := e.tree
	switch {
	case len(value.items) == 0:
		value = leaf(text)
	case len(text) > 0:
		value.add("#text", leaf(text))
	}
	parent := b.root
	if n := len(b.open); n > 0 {
		parent = b.open[n-1].tree
	}
	parent.add(e.name, value)
}

// cause is what the XML decoder complains about, without its line.
func cause(err error) string {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errCharset):
		return errCharset.Error()
	case !errors.As(err, &syntax):
		return "it cannot be read"
	case syntax.Msg == "unexpected EOF":
		return "the text ends inside an element"
	case strings.HasPrefix(syntax.Msg, "invalid character entity"):
		return "an entity other than &lt; &gt; &amp; &quot; &apos; is not read"
	}
	return syntax.Msg
}

// fault is an error at the place that the decoder has reached.
func (b *xmlBuilder) fault(message string) *Error {
	line, column := b.decoder.InputPos()
	return &Error{
		Status: http.StatusBadRequest, Line: line, Column: column,
		Message: fmt.Sprintf("invalid XML at line %d, column %d: %s", line, column, message),
	}
}
