package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// FilePart is a file of a multipart body while it comes in.
type FilePart struct {
	Field   string // the name of its field, as it was sent
	Name    string // of the file, as it was sent: not to be trusted in any way
	Content io.Reader
}

// Upload is a multipart body that is read as a stream.
type Upload struct {
	ContentType, ContentEncoding string
	Content                      io.Reader
	// Size bounds the whole body in bytes, Text what is not in files.
	Size, Text int64
	// Name bounds the name of a field in bytes; 0: nothing does.
	Name int
	// Take is given each file in turn and says what its Field's Value is. What
	// it leaves unread is passed over. Its errors end the reading.
	Take func(FilePart) (any, error)
	// Grow is asked for memory, in bytes, before it is used. Its errors end the
	// reading.
	Grow func(bytes int64) error
}

// ReadUpload reads a multipart form post without ever holding a file of it.
// Beyond those of Take, Grow and Content, its errors are *Error.
func ReadUpload(in Upload, lim Limits) ([]Field, error) {
	kind, params := mediaType(in.ContentType)
	switch {
	case kind != multipartKind:
		return nil, unsupported()
	case in.ContentEncoding != "" && !strings.EqualFold(in.ContentEncoding, "identity"):
		fault := unsupported()
		fault.Message, fault.Hint = "a post with files is not read when it is compressed", "send it without Content-Encoding"
		return nil, fault
	case params["boundary"] == "":
		return nil, malformed("the Content-Type names no boundary", "let the HTTP client set the Content-Type of a multipart body")
	}
	bounded := &boundedReader{r: in.Content, left: in.Size, limit: in.Size, mark: []byte("--" + params["boundary"] + "--")}
	u := &uploadReader{in: in, lim: lim, bounded: bounded, text: in.Text}
	pairs, err := u.read(multipart.NewReader(bounded, params["boundary"]))
	if err != nil {
		return nil, u.cause(err)
	}
	fields := make([]Field, len(pairs))
	for i, p := range pairs {
		fields[i] = Field{Name: p.name, Value: string(p.value)}
		if p.file != nil {
			fields[i].Value, fields[i].File = u.taken[p.file], true
		}
	}
	return fields, nil
}

// uploadReader is one run of ReadUpload.
type uploadReader struct {
	in      Upload
	lim     Limits
	bounded *boundedReader
	text    int64 // bytes of texts that may still come
	taken   map[*file]any
}

// cause is the error to tell: what ended the stream, before what the parser
// makes of the end.
func (u *uploadReader) cause(err error) error {
	if u.bounded.err != nil {
		return u.bounded.err
	}
	return err
}

func (u *uploadReader) read(reader *multipart.Reader) ([]pair, error) {
	u.taken = map[*file]any{}
	var pairs []pair
	for parts := 1; ; parts++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) && u.bounded.seen { // the reader takes some other ends for this one
			break
		}
		if err != nil {
			return nil, brokenMultipart(err)
		}
		if parts > u.lim.Parts {
			return nil, tooMany(u.lim.Parts, fmt.Sprintf("the body has more than %d parts", u.lim.Parts))
		}
		name := part.FormName()
		if u.in.Name > 0 && len(name) > u.in.Name {
			return nil, tooLarge(0, fmt.Sprintf("a field's name has more than %d bytes", u.in.Name))
		}
		keys := min(strings.Count(name, "["), u.lim.Depth)
		if err := u.in.Grow(partWeight + keyWeight*int64(keys) + copies*int64(len(name)+len(part.FileName()))); err != nil {
			return nil, err
		}
		p, err := u.part(part)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	// The rest of the body is no part of the form, but of the request.
	if _, err := io.Copy(io.Discard, u.bounded); err != nil {
		return nil, err
	}
	return recoded(pairs, nil)
}

func (u *uploadReader) part(part *multipart.Part) (pair, error) {
	_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if _, isFile := disposition["filename"]; err != nil || !isFile || part.FormName() == "" {
		return u.textPart(part)
	}
	p := pair{name: part.FormName(), file: &file{name: disposition["filename"]}}
	value, err := u.in.Take(FilePart{Field: p.name, Name: disposition["filename"], Content: part})
	if err == nil {
		_, err = io.Copy(io.Discard, part)
		if err != nil {
			err = brokenMultipart(err)
		}
	}
	u.taken[p.file] = value
	return p, err
}

// textPart reads a part that is no file, within what all of them may take.
func (u *uploadReader) textPart(part *multipart.Part) (pair, error) {
	growing := &growingReader{r: part, grow: u.in.Grow}
	limited := &boundedReader{r: growing, left: u.text, limit: u.in.Text}
	p, err := readPart(part, limited)
	u.text = limited.left
	switch { // not what the parser makes of it
	case u.text < 0:
		err = limited.err
	case growing.err != nil:
		err = growing.err
	}
	return p, err
}

// growingReader takes memory for what it reads; err is why there is none.
type growingReader struct {
	r    io.Reader
	grow func(bytes int64) error
	err  error
}

func (g *growingReader) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if n == 0 {
		return 0, err
	}
	if g.err = g.grow(copies * int64(n)); g.err != nil {
		return 0, g.err
	}
	return n, err
}

// boundedReader fails once more than left bytes came; err is what ended it,
// other than the end.
type boundedReader struct {
	r           io.Reader
	left, limit int64
	err         error

	mark []byte // what must come before the end; nil: nothing
	tail []byte // the end of what was read, in which mark may have begun
	seen bool   // mark came
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		b.err = overSize(Limits{Size: b.limit})
		return 0, b.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	b.look(p[:n])
	return n, err
}

// look notes whether mark is in what was read.
func (b *boundedReader) look(p []byte) {
	if b.seen || len(b.mark) == 0 {
		return
	}
	b.tail = append(b.tail, p[:min(len(p), len(b.mark)-1)]...)
	b.seen = bytes.Contains(b.tail, b.mark) || bytes.Contains(p, b.mark)
	if len(p) >= len(b.mark) {
		b.tail = append(b.tail[:0], p[len(p)-len(b.mark)+1:]...)
	}
	b.tail = append(b.tail[:0], b.tail[max(0, len(b.tail)-len(b.mark)+1):]...)
}
