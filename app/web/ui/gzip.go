package ui

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
)

// packers are writers to use again: a new one takes some 800 kB.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// pack is the content by gzip; nil where it is short, or where that saves nothing.
func pack(content []byte) []byte {
	if len(content) < 1024 {
		return nil
	}
	w := packers.Get().(*gzip.Writer)
	defer func() {
		w.Reset(io.Discard) // else the pool keeps the page
		packers.Put(w)
	}()
	var small bytes.Buffer
	w.Reset(&small)
	if _, err := w.Write(content); err != nil || w.Close() != nil || small.Len() >= len(content) {
		return nil
	}
	return small.Bytes()
}

// sendPacked sends content as packed has it, where there is that and the browser takes it.
func sendPacked(c *fiber.Ctx, content []byte, packed func() []byte) error {
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		if small := packed(); small != nil {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(small)
		}
	}
	return c.Send(content)
}
