package jsondoc_test

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"hookgate/internal/jsondoc"
)

// What is kept from one text to the next is bounded, also after many large ones
// at once.
//
// Break: no keepNodes. Then 35 MB were kept.
func TestParse_keepsLittle(t *testing.T) { //nolint:paralleltest // it measures the heap
	const texts, items = 20, 100_000
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pool
	text := []byte("[" + strings.Repeat("0,", items) + "0]")
	before := kept()
	docs := make([]*jsondoc.Doc, texts)
	for n := range docs {
		var err error
		if docs[n], err = jsondoc.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, doc := range docs {
		doc.Release()
	}
	if grown := kept() - before; grown > 5<<20 {
		t.Errorf("%d MB are kept", grown>>20)
	}
}

// kept is what a first collection leaves; a second one would empty the pool.
func kept() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
