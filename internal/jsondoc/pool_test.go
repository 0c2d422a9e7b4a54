package jsondoc_test

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"hookgate/internal/jsondoc"
)

// What parsers keep from one text to the next is bounded, also where a sender
// has the lists in another place each time.
//
// Break: no keepValues. Then 10 MB were kept.
func TestParsers_keepLittle(t *testing.T) { //nolint:paralleltest // it measures the heap
	const texts, items = 1500, 1500
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pool
	before := kept()
	for n := range texts {
		doc, err := jsondoc.Parse([]byte("[" + strings.Repeat("0,", n) + "[" + strings.Repeat("0,", items) + "0]]"))
		if err != nil {
			t.Fatal(err)
		}
		doc.Release()
	}
	if grown := kept() - before; grown > 5<<20 {
		t.Errorf("%d MB are kept", grown>>20)
	}
}

// kept is what a first collection leaves; a second one would empty the pool.
func kept() int64 {
	runtime.GC() //nolint:revive // the test is about what it leaves
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // far below
}
