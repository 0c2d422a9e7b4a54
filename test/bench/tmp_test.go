package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "load" || os.Args[1] == "sink" || os.Args[1] == "post") {
		if err := run(); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTmp(t *testing.T) {
	os.Chdir("../..")
	b := bench{rounds: 2, time: 2 * time.Second, connections: 64, binary: "x"}
	b.dir = t.TempDir()
	if err := b.prepare(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{b.measureEcho, b.measurePost, b.measureNodeRED} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	b.report(os.Stdout)
	exec.Command("true").Run()
}
