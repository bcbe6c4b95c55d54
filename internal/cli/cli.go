// Package cli is the command line: one file a verb. Start at [Run].
//
// It is the only package that prints and that chooses the exit code. A verb
// reads its flags, calls one of the other packages and shows what came back.
package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes, as documented in docs/command-line.md.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2 // wrong usage or spec
	exitRolledBack = 3
	exitLocked     = 4
	exitChanges    = 5 // plan: a deploy would change something
)

// app is what every verb needs: where to read and write, and how to speak.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json           bool   // --json: documented objects on stdout, nothing else there
	fleet          *fleet // of the verb that runs, for the commands that it names
}

// Run parses args (without the program's name), runs one verb and returns the
// exit code. The version is what --version prints. Cancelling ctx is Ctrl-C: the verb cleans up and Run returns 1.
func Run(ctx context.Context, version string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	if !terminal(stdout) { // a disk may be full, which nobody would notice
		stdout = out
	}
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.rootCommand()
	root.Version = version
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	verb, err := root.ExecuteContextC(ctx)
	if err == nil && out.err != nil {
		err = failed(fmt.Errorf("write the output: %w", out.err), "")
	}
	if err == nil {
		return exitDone
	}
	code := exitUsage // what cobra itself refuses: unknown verbs, flags and counts of arguments
	var e *exitError
	if errors.As(err, &e) {
		code = e.code
	}
	if e == nil {
		err = misuse(verb, err)
		a.json = a.json || slices.Contains(args, "--json") // behind what was not understood
	}
	if e == nil || e.err != nil {
		a.fail(err)
	}
	return code
}

// output remembers that something could not be written.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// descriptor is standard output itself, for what needs its file: a child that
// inherits it, a socket that is handed over.
func (a *app) descriptor() io.Writer {
	if o, ok := a.stdout.(*output); ok {
		return o.Writer
	}
	return a.stdout
}

// exitError carries an exit code to Run. With a nil err the verb has already
// said what there was to say.
type exitError struct {
	code int
	err  error
	hint string // what to do, one line; may be empty
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed and usage wrap an error with its exit code and a hint.
func failed(err error, hint string) error { return &exitError{exitFailed, err, hint} }
func usage(err error, hint string) error  { return &exitError{exitUsage, err, hint} }

// exit ends the verb with a code and no further word.
func exit(code int) error { return &exitError{code: code} }

// fail prints the last word of a verb that went wrong.
func (a *app) fail(err error) {
	hint := ""
	var e *exitError
	if errors.As(err, &e) {
		hint = e.hint
	}
	if a.json {
		a.printJSON(map[string]string{"error": err.Error(), "hint": hint})
		return
	}
	fmt.Fprintln(a.stderr, "error:", legible(err.Error())) // hosts may have a word in it
	if hint != "" {
		fmt.Fprintln(a.stderr, "hint:", hint)
	}
}

// printJSON writes v as one indented document on standard output.
func (a *app) printJSON(v any) {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

// terminal reports whether w is a terminal, where colour and progress may go.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

// rootCommand builds the tree of verbs.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "kinectl",
		Short: "Run services on a fleet of Linux servers with packages, systemd and Ansible",
		Long: `kinectl turns one spec.yml into a package, systemd units, an Ansible playbook and
monitoring, and releases it host by host: each host judges its own health and
rolls itself back.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON document instead of text")
	root.AddCommand(
		a.initCommand(),
		a.assetsCommand(),
		a.lintCommand(),
		a.schemaCommand(),
		a.renderCommand(),
		a.packageCommand(),
		a.debCommand(),
		a.rpmCommand(),
		a.repoCommand(),
		a.planCommand(),
		a.deployCommand(),
		a.applyCommand(),
		a.doctorCommand(),
		a.rollbackCommand(),
		a.restartCommand(),
		a.startCommand(),
		a.stopCommand(),
		a.removeCommand(),
		a.freezeCommand(),
		a.unfreezeCommand(),
		a.statusCommand(),
		a.historyCommand(),
		a.logsCommand(),
		a.vaultCommand(),
		a.labCommand(),
	)
	return root
}

// progress is where a verb says what it is doing: standard output, or standard
// error when --json keeps standard output for one document.
func (a *app) progress() io.Writer {
	if a.json {
		return a.stderr
	}
	return a.stdout
}
