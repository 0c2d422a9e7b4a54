// Package journal keeps what a program logs while a test runs.
package journal

import (
	"strings"
	"sync"
	"testing"

	"hookgate/test/lab"
)

// Journal is an io.Writer for a log. Its zero value is empty, and it is for
// concurrent use.
type Journal struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String is what was logged so far.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// Await waits until part has been logged.
func (j *Journal) Await(t testing.TB, part string) {
	t.Helper()
	if !lab.Within(lab.Patience, func() bool { return strings.Contains(j.String(), part) }) {
		t.Fatalf("%q was not logged:\n%s", part, j)
	}
}
