package body_test

import (
	"strings"
	"testing"

	"hookgate/internal/body"
)

// BenchmarkDecode_large is a body of some 20 KB with more brackets than levels that
// JSON may have, as code forges send them.
func BenchmarkDecode_large(b *testing.B) {
	item := `{"id": 321654, "name": "Harry's Diner", "owner": {"login": "harry", "admin": false}, "tags": ["a", "b"], "url": "https://example.com/x"}`
	in := body.Input{
		ContentType: "application/json; charset=utf-8",
		Raw:         []byte(`{"items": [` + strings.TrimSuffix(strings.Repeat(item+",", 150), ",") + `]}`),
	}
	b.SetBytes(int64(len(in.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		content, err := body.Decode(in, body.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		content.Doc.Release()
	}
}
