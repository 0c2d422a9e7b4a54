package db

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"

	"hookgate/internal/event"
)

// Blobs begin with a byte that says how the rest is packed.
const (
	plainBlob  = 0
	packedBlob = 1 // s2, a Snappy dialect: halves bodies at next to no cost
	wordsBlob  = 2 // s2 with words as the dictionary
)

// words is what events have in common: the names of headers and usual values, the
// keys of forms and of what known senders send, in the order and with the blanks in
// which they come; no value that tells of anybody. It is part of the format: a
// change of it makes all that was packed with it unreadable, so that other words
// would be another file with a number of their own. docs/decisions/0023 says how
// it came about.
//
//go:embed words.bin
var words []byte

var dictionary = sync.OnceValue(func() *s2.Dict { return s2.MakeDict(words, nil) })

// packFrom is the size in bytes from which packing pays.
const packFrom = 256

// wordsTo is up to which size words make a difference: what is longer has more in
// common with itself, and is packed by s2's quicker way without a dictionary.
const wordsTo = 16 << 10

// blobHead is how many bytes of a blob unpackedSize needs to tell the size of
// one that is packed; others are shorter than packFrom.
const blobHead = 1 + binary.MaxVarintLen32

var errBlob = errors.New("stored blob is damaged")

// pack appends a blob that holds content to dst.
func pack(dst, content []byte) []byte {
	if len(content) < packFrom {
		return append(append(dst, plainBlob), content...)
	}
	return appendPacked(append(dst, packedBlob), content, s2.Encode)
}

// packWithWords appends a blob as pack does, of half the size where the content is
// an event of some hundred bytes. It takes 64 KB of its goroutine's stack: what has
// many goroutines leaves it to the one that writes. Not for PostgreSQL, where a replica
// of the version before, which knows no words, goes on while others are upgraded.
func packWithWords(dst, content []byte) []byte {
	if len(content) < packFrom || len(content) > wordsTo {
		return pack(dst, content)
	}
	return appendPacked(append(dst, wordsBlob), content, dictionary().Encode)
}

// appendPacked appends what encode makes of content, in dst's memory where there
// is enough.
func appendPacked(dst, content []byte, encode func(dst, src []byte) []byte) []byte {
	start, need := len(dst), s2.MaxEncodedLen(len(content))
	if cap(dst)-start < need {
		grown := make([]byte, start, start+need)
		copy(grown, dst)
		dst = grown
	}
	packed := encode(dst[start:start+need], content)
	return dst[:start+len(packed)]
}

// keepScratch is up to which size, in bytes, memory is used again: one large
// content must not keep as much for good.
const keepScratch = 64 << 10

// again is the memory of scratch, empty, to be used again.
func again(scratch []byte) []byte {
	if cap(scratch) > keepScratch {
		return nil
	}
	return scratch[:0]
}

// unpackedSize is how many bytes unpack gives, as far as the blob says so.
func unpackedSize(blob []byte) int {
	if len(blob) > 0 && blob[0] != plainBlob {
		n, err := s2.DecodedLen(blob[1:])
		if err == nil {
			return n
		}
	}
	return len(blob)
}

// unpack returns what pack was given.
func unpack(blob []byte) ([]byte, error) {
	if len(blob) == 0 {
		return nil, nil
	}
	var content []byte
	var err error
	switch packed := blob[1:]; blob[0] {
	case plainBlob:
		return append([]byte(nil), packed...), nil
	case packedBlob:
		content, err = s2.Decode(nil, packed)
	case wordsBlob:
		content, err = dictionary().Decode(nil, packed)
	default:
		err = fmt.Errorf("packed in an unknown way, %d", blob[0])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBlob, err)
	}
	return content, nil
}

// appendContent appends what is kept of a request: its facts, body and data as
// strings with their lengths before them. It is a format of our own for speed:
// encoding/json would cost more than the rest of the insert.
func appendContent(dst []byte, e *event.Event) ([]byte, error) {
	r := &e.Request
	for _, s := range []string{r.Method, r.ContentType, r.RemoteIP} {
		dst = appendText(dst, s)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Headers)))
	for name, value := range r.Headers {
		dst = appendText(appendText(dst, name), value)
	}
	query := []byte(nil)
	if len(r.Query) > 0 {
		var err error
		if query, err = json.Marshal(r.Query); err != nil {
			return nil, fmt.Errorf("encode query: %w", err)
		}
	}
	dst = appendText(dst, query)
	dst = appendText(dst, e.Body)
	dst = appendText(dst, e.JSON)
	if len(e.Reads) == 0 {
		return dst, nil
	}
	reads, err := json.Marshal(e.Reads)
	if err != nil {
		return nil, fmt.Errorf("encode what was looked up: %w", err)
	}
	return appendText(dst, reads), nil
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// readContent fills what appendContent took from e.
func readContent(content []byte, e *event.Event) error {
	r := reader{rest: content}
	e.Request.Method = string(r.text())
	e.Request.ContentType = string(r.text())
	e.Request.RemoteIP = string(r.text())
	if n := r.number(); n > 0 && n <= uint64(len(r.rest)) {
		e.Request.Headers = make(map[string]string, n)
		for range n {
			name := string(r.text())
			e.Request.Headers[name] = string(r.text())
		}
	}
	if query := r.text(); len(query) > 0 {
		if err := json.Unmarshal(query, &e.Request.Query); err != nil {
			return fmt.Errorf("%w: %w", errBlob, err)
		}
	}
	e.Body = r.text()
	if data := r.text(); len(data) > 0 {
		e.JSON = data
	}
	if len(r.rest) > 0 && !r.bad {
		if err := json.Unmarshal(r.text(), &e.Reads); err != nil {
			return fmt.Errorf("%w: %w", errBlob, err)
		}
	}
	if r.bad {
		return errBlob
	}
	return nil
}

// reader reads length-prefixed strings; bad remembers the first fault.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}
