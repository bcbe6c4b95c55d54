// Command kinectl-man writes kinectl's man pages and shell completions into a
// folder, for `make package`: kinectl-man DIR [VERSION].
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/manual"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: kinectl-man DIR [VERSION]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run takes version and time from git, as kinectl package does.
func run(dir string, given []string) error {
	about, err := facts.Of("spec.yml")
	if err != nil {
		return err
	}
	if len(given) == 0 {
		version, _ := facts.Describe("spec.yml") // outside of git pages have none
		given = []string{version}
	}
	return manual.Write(dir, cli.Commands(), strings.TrimPrefix(given[0], "v"), about.BuildTime)
}
