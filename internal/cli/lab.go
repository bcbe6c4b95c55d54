package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

// labCommand is the parent of the lab's verbs. The name of the lab is a flag of
// all of them.
func (a *app) labCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run real Debian hosts on this machine",
		Long: `A lab is a number of real Debian hosts, h1, h2 and so on, on this machine: systemd as
PID 1, journal, sshd and apt, each with a disk and an address of its own. Nothing
routes out of a lab, and labs of different names do not see each other.

It needs Linux, root, systemd-nspawn and, for the first one, a Debian mirror.`,
		Example: `  sudo kinectl lab up --hosts 3
  sudo kinectl lab ssh h1
  sudo kinectl lab exec h2 -- systemctl --failed
  sudo kinectl lab down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&name, "name", "lab", "name of the lab")
	cmd.AddCommand(
		a.labUpCommand(&name), a.labDownCommand(&name), a.labStatusCommand(&name), a.labListCommand(),
		a.labSSHCommand(&name), a.labExecCommand(&name), a.labRunCommand(&name),
		a.labConnectCommand(&name), a.labImageCommand(),
	)
	return cmd
}

// labError gives an error of package lab its exit code and its hint.
func labError(err error, name string) error {
	var wrong lab.OptionError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return usage(err, "")
	case errors.Is(err, lab.ErrNoLab):
		return failed(err, labHint(name))
	case errors.Is(err, fs.ErrPermission):
		return failed(err, "run it through sudo")
	}
	return failed(err, "")
}

// labHint is what to do where there is no lab of that name: there may be others.
func labHint(name string) string {
	all, _ := lab.List()
	var up []string
	for _, other := range all {
		if _, err := lab.Open(other); err == nil {
			up = append(up, other)
		}
	}
	start := "start it with: kinectl lab up --name " + name
	if len(up) == 0 {
		return start
	}
	return "there is " + strings.Join(up, ", ") + ": name one with --name, or " + start
}

// childError passes on the exit code of a command that ran; it has said itself
// what was wrong.
func childError(err error, name string) error {
	var e *exec.ExitError
	if errors.As(err, &e) {
		if code := e.ExitCode(); code >= 0 {
			return exit(code)
		}
		return exit(exitFailed) // ended by a signal
	}
	return labError(err, name)
}

// labProgress prints a line for each step, to standard error when standard
// output is for JSON.
func (a *app) labProgress() func(lab.Event) {
	w := a.stdout
	if a.json {
		w = a.stderr
	}
	return func(e lab.Event) {
		if e.Host == "" {
			fmt.Fprintf(w, "%7s  %s\n", seconds(e.Took), e.Text)
			return
		}
		fmt.Fprintf(w, "%7s  %-4s %s\n", seconds(e.Took), e.Host, e.Text)
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
