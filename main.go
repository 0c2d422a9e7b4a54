// Command hookgate routes website events and form posts to other tools. See
// README.md.
package main

import (
	"context"
	"os"

	"hookgate/app/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
