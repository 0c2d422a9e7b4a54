// Package faults breaks hookgate on purpose and compares what it promised with
// what arrived: a ledger in the sender, a ledger in the receiver. The tests run
// in a short form; FAULTS=long gives the long one (make faults).
//
// Each test names its negative control: a deliberate break of the product that
// makes it fail.
package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	defer pgtest.Stop()
	return lab.Main(m)
}

const token = "faults-token-0123456789"

const inPath = "/in/in/" + token

// quick is a schedule of many short retries, so that faults end within a test.
func quick() string {
	return "{ delays: [" + strings.Repeat("100ms, 200ms, ", 30) + strings.Repeat("1s, ", 30) + "1h" + "] }"
}

// numbered routes every event to one sink, as lab.Numbered.
func numbered(sink string) string {
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  sink: { type: webhook, url: %s/, concurrency: 32, retry: %s }
rules:
  - name: route
    from: in
    then: [{ to: sink, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "${{ data.key }}" } }]
`, token, sink, quick())
}

// keyed is numbered with an ordering key.
func keyed(sink string) string {
	return strings.Replace(numbered(sink), "{ to: sink,", "{ to: sink, ordering_key: data.key,", 1)
}
