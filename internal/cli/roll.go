package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/release"
)

// holderVariable is of a pipeline whose steps are one deployer (docs/locks.md).
const holderVariable = "KINECTL_HOLDER"

// roll runs over the fleet, tells what happens, and ends the verb.
func (a *app) roll(ctx context.Context, o release.Options, run func(release.Options) (*release.Outcome, error)) error {
	if strings.Trim(os.Getenv(holderVariable), "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		return usage(fmt.Errorf("%s is %q: every host would refuse it", holderVariable, os.Getenv(holderVariable)), "lower-case letters and digits; or leave it out")
	}
	n := newNarrator(a.progress())
	o.Progress, o.Watched = n.event, n.live != nil
	out, err := run(o)
	if err == nil {
		n.done()
	}
	n.clear()
	if out != nil && !a.json {
		a.aftermath(out, err)
	}
	return a.finish(ctx, out, err)
}

// aftermath is what the hosts do not say themselves: those that have none of
// it, and, after a failure, the count and where to read more.
func (a *app) aftermath(out *release.Outcome, err error) {
	w := a.progress()
	if len(out.Untouched) > 0 {
		fmt.Fprintf(w, "  not touched %s\n", strings.Join(out.Untouched, " "))
	}
	if len(out.Kept) > 0 {
		fmt.Fprintf(w, "  not reverted %s: there was no release before; `kinectl remove --limit %s` takes it away\n",
			strings.Join(out.Kept, " "), strings.Join(out.Kept, ","))
	}
	if err == nil {
		return
	}
	fmt.Fprintln(w, counts(out))
	for _, h := range out.Hosts {
		if a.fleet != nil && (h.Result == release.Failed || h.Result == release.RolledBack) {
			one := *a.fleet
			one.limit = h.Host
			fmt.Fprintf(w, "more of %s: %s\n", h.Host, commandLine(append([]string{"kinectl", "logs"}, one.words()...)...))
		}
	}
}

// finish shows the end of a run and turns its error into an exit code.
func (a *app) finish(ctx context.Context, out *release.Outcome, err error) error {
	if errors.Is(err, release.ErrUndefined) {
		return usage(err, "define it in the group_vars or host_vars of the inventory")
	}
	if errors.Is(err, release.ErrPlain) {
		return usage(err, "write what `kinectl vault encrypt` prints in its place")
	}
	if out == nil && errors.Is(err, release.ErrLocked) {
		return &exitError{code: exitLocked, err: err, hint: "--wait 10m tries again until it has ended; `kinectl status` shows how far it is"}
	}
	interrupted := ctx.Err() != nil && err != nil
	switch {
	case out == nil && interrupted:
		return failed(errors.New("interrupted; no host was touched"), "")
	case out == nil:
		return failed(err, "")
	}
	code, hint := outcomeCode(err), "Ansible's output: "+out.Log
	if code == exitLocked {
		hint = "--wait 10m tries again until it has ended; " + hint
	}
	if interrupted {
		code, err = exitFailed, interruption(out)
		hint = "see what the hosts run with `" + a.statusLine() + "`; " + hint
	}
	switch {
	case a.json:
		if err != nil {
			out.Error = err.Error()
		}
		a.printJSON(out)
	case err == nil:
		fmt.Fprintf(a.stdout, "%s\n", summary(out))
	}
	switch {
	case err == nil:
		return nil
	case a.json:
		return exit(code)
	}
	return &exitError{code: code, err: err, hint: hint}
}

// interruption is the end of a run by Ctrl-C: who is in the middle, and what becomes
// of that.
func interruption(out *release.Outcome) error {
	var middle []string
	for _, h := range slices.Concat(out.Hosts, out.Reverted) {
		if h.Result == release.Unfinished {
			middle = append(middle, h.Host)
		}
	}
	if len(middle) == 0 {
		return errors.New("interrupted; no host was in the middle of it")
	}
	return fmt.Errorf("interrupted in the middle of it on %s: a host finishes it alone, or goes back by itself", strings.Join(middle, " "))
}

// statusLine is the command that looks at the hosts of the verb that runs.
func (a *app) statusLine() string {
	words := []string{"kinectl", "status"}
	if a.fleet != nil {
		words = append(words, a.fleet.words()...)
	}
	return commandLine(words...)
}

// outcomeCode is the exit code of a run that ended with err.
func outcomeCode(err error) int {
	switch {
	case errors.Is(err, release.ErrRolledBack):
		return exitRolledBack
	case errors.Is(err, release.ErrLocked):
		return exitLocked
	}
	return exitFailed
}
