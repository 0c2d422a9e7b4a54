// Man writes the manual pages of hookgate into a folder: one for each command,
// as its help says it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra/doc"

	"hookgate/app/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man FOLDER")
		os.Exit(2)
	}
	command := cli.Command()
	command.DisableAutoGenTag = true // the same source makes the same pages
	err := os.MkdirAll(os.Args[1], 0o750)
	if err == nil {
		err = doc.GenManTree(command, &doc.GenManHeader{Section: "1", Source: "hookgate", Manual: "hookgate"}, os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
