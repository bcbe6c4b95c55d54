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

// confirm asks a person on a terminal whether to go on, on standard error, or on
// standard output where only that is the terminal; where neither is, nobody would see
// the question, and it is wrong usage. Where standard input is none, nobody can answer:
// a pipeline has decided already by calling the verb. After any other answer than yes
// nothing is touched, and it says so: that is no mistake, so the error has nothing to
// add to its exit code.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes || a.json || !interactive(a.stdin) {
		return nil
	}
	tty := a.stderr
	if !interactive(tty) {
		tty = a.stdout
	}
	if !interactive(tty) {
		return usage(errors.New("nobody can be asked: neither standard error nor standard output is a terminal"), "say yes beforehand, with --yes")
	}
	fmt.Fprintf(tty, "%s [y/N] ", question)
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
		fmt.Fprintln(tty)
	}
	fmt.Fprintln(tty, "nothing was done")
	return exit(exitFailed)
}

// interactive reports whether f is a terminal, in colour or not.
func interactive(f any) bool {
	if o, ok := f.(*output); ok {
		f = o.Writer
	}
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
