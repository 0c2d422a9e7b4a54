package body

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// unpack undoes the content-encodings, the last one first. It stops as soon
// as the result is over the limit: a megabyte of gzip can hold a gigabyte.
func unpack(in Input, lim Limits) ([]byte, error) {
	raw := in.Raw
	if int64(len(raw)) > lim.Size {
		return nil, overSize(lim)
	}
	if in.ContentEncoding == "" || len(raw) == 0 {
		return raw, nil
	}
	codings := strings.Split(in.ContentEncoding, ",")
	if len(codings) > maxCodings {
		return nil, &Error{Status: http.StatusUnsupportedMediaType, Message: "the body is compressed too many times over"}
	}
	for _, coding := range slices.Backward(codings) {
		var err error
		if raw, err = unpackOne(strings.ToLower(strings.TrimSpace(coding)), raw, lim); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// maxCodings is how many content-encodings one body may have been put through.
const maxCodings = 2

func overSize(lim Limits) *Error {
	return tooLarge(lim.Size, fmt.Sprintf("the body is larger than %d bytes", lim.Size))
}

func unpackOne(coding string, raw []byte, lim Limits) ([]byte, error) {
	reader, err := unpacker(coding, bufio.NewReader(bytes.NewReader(raw)))
	if unknown := (*Error)(nil); errors.As(err, &unknown) {
		return nil, unknown
	}
	var out []byte
	if err == nil {
		out, err = io.ReadAll(io.LimitReader(reader, lim.Size+1))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, malformed("the "+coding+" data of the body ends too early", "")
	case err != nil:
		return nil, malformed("the body is not "+coding+" data, as its Content-Encoding says", "")
	case int64(len(out)) > lim.Size:
		return nil, overSize(lim)
	}
	return out, nil
}

// unpacker undoes one content-encoding.
func unpacker(coding string, packed *bufio.Reader) (io.Reader, error) {
	switch coding {
	case "", "identity":
		return packed, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(packed)
	case "deflate":
		return inflater(packed)
	default:
		return nil, &Error{
			Status:  http.StatusUnsupportedMediaType,
			Message: "this Content-Encoding is not read",
			Hint:    "send the body as it is, or with gzip or deflate",
		}
	}
}

// inflater reads deflate as RFC 9110, section 8.4.1.2 has it, in the zlib
// format, and bare, as some senders have always sent it.
func inflater(packed *bufio.Reader) (io.Reader, error) {
	if head, _ := packed.Peek(2); len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(packed)
	}
	return flate.NewReader(packed), nil
}
