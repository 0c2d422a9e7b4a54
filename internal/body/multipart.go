package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
)

// file is what is known of a file part.
type file struct {
	name, contentType string
	size              int64
}

// tree is how a file looks in data.
func (f *file) tree() *tree {
	t := newObject()
	t.closed = true
	t.add("filename", leaf([]byte(f.name)))
	t.add("type", leaf([]byte(f.contentType)))
	t.add("size", &tree{isJSON: true, text: strconv.AppendInt(nil, f.size, 10)})
	return t
}

// multipart reads a multipart body.
func (c Content) multipart(params map[string]string, jsonField string, lim Limits) (Content, error) {
	pairs, err := multipartPairs(c.Raw, params, lim)
	if err != nil {
		return c, err
	}
	return c.fields(pairs, jsonField, lim)
}

// multipartPairs splits a multipart body into its fields (RFC 7578).
func multipartPairs(raw []byte, params map[string]string, lim Limits) ([]pair, error) {
	boundary := params["boundary"]
	if boundary == "" {
		return nil, malformed("the Content-Type names no boundary", "let the HTTP client set the Content-Type of a multipart body")
	}
	if !bytes.Contains(raw, []byte("--"+boundary+"--")) { // the reader takes that for no parts
		return nil, brokenMultipart(io.ErrUnexpectedEOF)
	}
	reader := multipart.NewReader(bytes.NewReader(raw), boundary)
	var pairs []pair
	for parts := 1; ; parts++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, brokenMultipart(err)
		}
		if parts > lim.Parts {
			return nil, tooMany(lim.Parts, fmt.Sprintf("the body has more than %d parts", lim.Parts))
		}
		p, err := readPart(part, part)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return recoded(pairs, nil)
}

func brokenMultipart(err error) *Error {
	if errors.Is(err, multipart.ErrMessageTooLarge) {
		return tooLarge(0, "a part's headers are too long")
	}
	return malformed("the multipart body is broken or ends before its last boundary", "")
}

// readPart reads a part, and its content through content.
func readPart(part *multipart.Part, content io.Reader) (pair, error) {
	p := pair{name: part.FormName()}
	contentType := part.Header.Get("Content-Type")
	_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil || p.name == "" {
		return pair{}, malformed("a part of the multipart body has no name", "")
	}
	if _, isFile := disposition["filename"]; isFile {
		size, err := io.Copy(io.Discard, content)
		if err != nil {
			return pair{}, brokenMultipart(err)
		}
		p.file = &file{name: part.FileName(), contentType: contentType, size: size}
		return p, nil
	}
	if p.value, err = io.ReadAll(content); err != nil {
		return pair{}, brokenMultipart(err)
	}
	if _, params, err := mime.ParseMediaType(contentType); err == nil && params["charset"] != "" {
		if p.value, err = toUTF8(p.value, params["charset"]); err != nil {
			return pair{}, err
		}
	}
	return p, nil
}
