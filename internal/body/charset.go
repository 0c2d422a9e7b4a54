package body

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

const (
	bomUTF8    = "\xef\xbb\xbf"
	bomUTF16LE = "\xff\xfe"
	bomUTF16BE = "\xfe\xff"
)

// toUTF8 converts text from charset, the parameter of a Content-Type; "" is
// UTF-8. A byte order mark counts more than the parameter and is taken away.
// Text that is UTF-8 already is returned as it is, checked by no one.
func toUTF8(text []byte, charset string) ([]byte, error) {
	switch {
	case bytes.HasPrefix(text, []byte(bomUTF8)):
		return text[len(bomUTF8):], nil
	case bytes.HasPrefix(text, []byte(bomUTF16LE)), bytes.HasPrefix(text, []byte(bomUTF16BE)):
		return convert(text, "utf-16", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	case charset == "", isUTF8(charset):
		return text, nil
	}
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return nil, &Error{
			Status:  http.StatusUnsupportedMediaType,
			Message: "the charset that the Content-Type names is not known",
			Hint:    "send UTF-8",
		}
	}
	return convert(text, charset, encoding.NewDecoder())
}

// decoder is what this package needs of an encoding.Decoder.
type decoder interface {
	Bytes(b []byte) ([]byte, error)
}

func convert(text []byte, charset string, d decoder) ([]byte, error) {
	out, err := d.Bytes(text)
	if err != nil {
		return nil, malformed(fmt.Sprintf("the body is not valid %s, as its Content-Type says", strings.ToLower(charset)), "")
	}
	return out, nil
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// lenient is text if that is valid UTF-8. Other text is read as windows-1252,
// as browsers read text that names no charset: every byte of it becomes some
// character, so nothing is lost.
func lenient(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil {
		return bytes.ToValidUTF8(text, []byte("\ufffd"))
	}
	return out
}

func knownCharset(name string) bool {
	_, err := htmlindex.Get(name)
	return err == nil
}
