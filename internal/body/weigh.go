package body

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
)

// What the parts of a body take up in bytes from the first look at them to the
// last delivery that is rendered of them: measured, and rounded up.
const (
	copies      = 3 // of each byte: as it came, as data, as what is sent
	valueWeight = 450
	fieldWeight = 400
	keyWeight   = 500 // of a key in the brackets of a field's name
	partWeight  = 3000
	tagWeight   = 700
	attrWeight  = 400
)

// Weigh is how much memory in bytes it takes at most to understand in and to
// work with its data. It costs little itself: a compressed body is counted as
// it is unpacked, and not kept. A body that cannot be unpacked weighs what could.
func Weigh(in Input, lim Limits) int64 {
	kind, _ := mediaType(in.ContentType)
	if kind != multipartKind && kind != xmlKind && startsWith(in.Raw, "{[") || in.ContentEncoding != "" && kind != xmlKind {
		kind = jsonKind // as Decode tries it, or the heaviest that it may be
	}
	w := weigher{kind: kind}
	if in.ContentEncoding == "" {
		w.count(in.Raw)
	} else {
		w.unpack(in, lim)
	}
	return w.weight(lim)
}

// weigher counts what a body is made of.
type weigher struct {
	kind                    kind
	bytes                   int64
	values, fields, keys    int
	parts, tags, attributes int
}

func (w *weigher) unpack(in Input, lim Limits) {
	reader := io.Reader(bytes.NewReader(in.Raw))
	for _, coding := range slices.Backward(strings.SplitN(in.ContentEncoding, ",", maxCodings+1)) {
		var err error
		if reader, err = unpacker(strings.ToLower(strings.TrimSpace(coding)), bufio.NewReader(reader)); err != nil {
			return
		}
	}
	reader = io.LimitReader(reader, lim.Size+1)
	chunk := make([]byte, 32<<10)
	for {
		n, err := reader.Read(chunk)
		w.count(chunk[:n])
		if err != nil {
			return
		}
	}
}

func (w *weigher) count(text []byte) {
	w.bytes += int64(len(text))
	of := func(mark string) int { return bytes.Count(text, []byte(mark)) }
	switch w.kind {
	case formKind:
		w.fields += 1 + of("&")
		w.keys += of("[") + of("%5B") + of("%5b")
	case multipartKind:
		w.parts += of("\n--")
		w.keys += of("[")
	case xmlKind:
		w.tags += of("<")
		w.attributes += of("=")
	case jsonKind, textKind, unsaid, unknown:
		w.values += 1 + of(",") + of("{") + of("[")
	}
}

// weight is of no more than lim allows: what is more is refused when it is counted.
func (w *weigher) weight(lim Limits) int64 {
	sum := copies * w.bytes
	for _, part := range []struct{ count, most, weight int }{
		{w.values, lim.Values, valueWeight},
		{w.fields, lim.Keys, fieldWeight},
		{w.keys, lim.Keys * lim.Depth, keyWeight},
		{w.parts, lim.Parts, partWeight},
		{w.tags, 2 * lim.Values, tagWeight / 2}, // one that opens, one that closes
		{w.attributes, lim.Values, attrWeight},
	} {
		sum += int64(min(part.count, part.most)) * int64(part.weight)
	}
	return sum
}
