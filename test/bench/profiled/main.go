// Command profiled is hookgate, and writes a profile of its CPU time into the
// file that HOOKGATE_PROFILE names when it ends.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"

	"hookgate/app/cli"
)

func main() {
	stop, err := profile(os.Getenv("HOOKGATE_PROFILE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
	code := cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func profile(path string) (stop func(), err error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}
