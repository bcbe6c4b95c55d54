package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// confirm asks a person on a terminal whether to go on. Where standard input or
// output is none, nobody can answer: a pipeline has decided already by calling
// the verb. The error says that the answer was no; nothing was touched then.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes || a.json || !interactive(a.stdin) || !interactive(a.stdout) {
		return nil
	}
	fmt.Fprintf(a.stdout, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // which Ctrl-C leaves behind, with the process
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(a.stdout)
	}
	return failed(errors.New("nothing was done"), "--yes does not ask")
}

// interactive reports whether f is a terminal, in colour or not.
func interactive(f any) bool {
	if o, ok := f.(*output); ok {
		f = o.Writer
	}
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
