package jsondoc

import (
	"math"
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. What JSON allows to stand as it is
// stands as it is; bytes that are not UTF-8 become U+FFFD.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	return append(AppendContent(append(dst, '"'), s), '"')
}

// AppendContent appends what stands between the quotes of AppendString.
func AppendContent[T string | []byte](dst []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, width := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r == utf8.RuneError && width == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += width
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// AppendFloat appends a number in its shortest form: without an exponent from
// 0.000001 up to 21 digits, as JavaScript writes it. f is finite.
func AppendFloat(dst []byte, f float64) []byte {
	const least, most = 1e-6, 1e21
	if abs := math.Abs(f); abs == 0 || abs >= least && abs < most {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n > 3 && dst[n-4] == 'e' && dst[n-2] == '0' { // e-09 is e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendValue appends a value as JSON, as it came: keys keep their order,
// numbers their characters; blanks go. Of a key that stands twice in an object the
// last value counts, and stands where the last one stood.
func AppendValue(dst []byte, v Value) []byte {
	switch v.Kind() {
	case None:
		return append(dst, "null"...)
	case List, Object:
		if hasRepeatedKeys(v) {
			return appendLast(dst, v)
		}
		return appendWithoutBlanks(dst, v)
	default:
		return appendScalar(dst, v)
	}
}

// appendScalar appends a value that has none in it: a string as AppendString
// writes it, which is most often as it came.
func appendScalar(dst []byte, v Value) []byte {
	raw := v.Raw()
	if v.Kind() == String && (v.node().escaped || !utf8.Valid(raw)) {
		return AppendString(dst, v.Text())
	}
	return append(dst, raw...)
}

// appendWithoutBlanks appends a list or an object by its text: what stands
// between two values is brackets, commas and colons, and blanks.
func appendWithoutBlanks(dst []byte, v Value) []byte {
	text, valid := v.doc.text, utf8.Valid(v.Raw())
	start, end := v.Span()
	copied, at := start, start // how far text is in dst, and how far it is looked at
	pass := func(until int) {
		for at < until {
			if text[at] > ' ' {
				at++
				continue
			}
			dst = append(dst, text[copied:at]...)
			at = passBlanks(text, at)
			copied = at
		}
	}
	for i := v.at; i < v.node().next; i++ {
		inner := Value{v.doc, i}
		n := inner.node()
		if pass(int(n.start)); n.kind == List || n.kind == Object {
			continue
		}
		if at = int(n.end); n.kind == String && (n.escaped || !valid) {
			dst = appendScalar(append(dst, text[copied:n.start]...), inner)
			copied = at
		}
	}
	pass(end)
	return append(dst, text[copied:end]...)
}

// appendLast appends a value where keys stand twice in an object: the last one each.
func appendLast(dst []byte, v Value) []byte {
	switch v.Kind() {
	case List:
		dst = append(dst, '[')
		first := true
		for item := range v.Items() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendLast(dst, item)
		}
		return append(dst, ']')
	case Object:
		return appendObject(dst, v)
	default:
		return appendScalar(dst, v)
	}
}

func appendObject(dst []byte, v Value) []byte {
	repeated := repeatedKeys(v)
	dst = append(dst, '{')
	first := true
	for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at+1].next {
		key := Value{v.doc, at}
		if repeated != nil {
			if name := ValidText(string(key.Text())); repeated[name] > 1 {
				repeated[name]--
				continue
			}
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendLast(append(appendScalar(dst, key), ':'), Value{v.doc, at + 1})
	}
	return append(dst, '}')
}

// hasRepeatedKeys reports whether a key stands twice in an object of a value.
func hasRepeatedKeys(v Value) bool {
	for at := v.at; at < v.node().next; at++ {
		if inner := (Value{v.doc, at}); inner.Kind() == Object && repeatedKeys(inner) != nil {
			return true
		}
	}
	return false
}

// fewKeys is the number of keys up to which comparing each with each costs less
// than a map.
const fewKeys = 48

// repeatedKeys counts the keys of an object where one of them stands twice; nil
// where none does.
func repeatedKeys(v Value) map[string]int {
	if size := v.Len(); size <= fewKeys && !suspectKeys(v) {
		return nil
	}
	counts := make(map[string]int, v.Len())
	for key := range v.Fields() {
		counts[ValidText(string(key))]++
	}
	if len(counts) == v.Len() {
		return nil
	}
	return counts
}

// suspectKeys reports whether two of few keys may be the same.
func suspectKeys(v Value) bool {
	var few [fewKeys][]byte
	var marks uint64 // of the keys so far: most keys differ in them, and need no look at each
	seen := 0
	for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at+1].next {
		key := Value{v.doc, at}.Text()
		if !utf8.Valid(key) { // two of them may be one once they are text
			return true
		}
		mark := markOf(key)
		if marks&mark != 0 {
			for _, other := range few[:seen] {
				if string(other) == string(key) {
					return true
				}
			}
		}
		marks |= mark
		few[seen] = key
		seen++
	}
	return false
}

// markOf is one bit of 64, by the length of a key and three of its bytes.
func markOf(key []byte) uint64 {
	n := len(key)
	if n == 0 {
		return 1
	}
	return 1 << ((n*5 + int(key[0])*3 + int(key[n/2])*7 + int(key[n-1])) % 64)
}
