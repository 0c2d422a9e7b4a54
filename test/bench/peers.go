package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// peer is a program that can do the work of forward: take an event, ask one
// condition, post the whole event.
type peer struct {
	// settings is the content of its configuration file.
	settings func(addr, sink, dir string) string
	// args are its arguments; path is the configuration file's.
	args func(path string) []string
}

// peers are the programs that are known, by the name of their file. Both keep
// what waits in a SQLite file (bento's own buffer); without a buffer they answer
// once the receiver has, and store nothing.
var peers = map[string]peer{
	"bento":            {settings: bentoSettings, args: func(path string) []string { return []string{"-c", path} }},
	"redpanda-connect": {settings: bentoSettings, args: func(path string) []string { return []string{"run", path} }},
}

func bentoSettings(addr, sink, dir string) string {
	return fmt.Sprintf(`http: { address: %q }
logger: { level: ERROR }
input:
  http_server: { path: /in, ws_path: "" }
buffer:
  sqlite: { path: %q }
pipeline:
  processors:
    - mapping: 'root = if this.website.status != "Done" { deleted() }'
output:
  http_client: { url: %q, verb: POST, max_in_flight: %d }
`, addr, filepath.Join(dir, "buffer.db"), sink, atOnce)
}

// runPeers measures programs on the work of forward, in turns with hookgate.
func (b *bench) runPeers(w io.Writer, paths []string) error {
	samples := make([][]sample, len(paths))
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		if err := b.measure(&b.forward); err != nil {
			return err
		}
		for n, path := range paths {
			got, err := b.measurePeer(path)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			samples[n] = append(samples[n], got)
		}
	}
	b.method(w)
	table := newSampleTable(w)
	table.row("hookgate", 1, b.forward.samples)
	for n, path := range paths {
		table.row(filepath.Base(path), 1, samples[n])
	}
	table.flush()
	return nil
}

func (b *bench) measurePeer(path string) (got sample, err error) {
	p, ok := peers[filepath.Base(path)]
	if !ok {
		var known []string
		for name := range peers {
			known = append(known, name)
		}
		return got, fmt.Errorf("it is not known how to run it; known are %s", strings.Join(known, ", "))
	}
	dir, err := os.MkdirTemp(b.dir, "peer")
	if err != nil {
		return got, err
	}
	addr, err := freeAddr()
	if err != nil {
		return got, err
	}
	settings := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(settings, []byte(p.settings(addr, b.sink.url(plain, "/archive"), dir)), 0o600); err != nil {
		return got, err
	}
	s, err := start(addr, "/ready", nil, path, p.args(settings)...)
	if err != nil {
		return got, err
	}
	got, err = b.sample(s, b.order(addr, "/in"), 1)
	return got, errors.Join(err, s.stop())
}
