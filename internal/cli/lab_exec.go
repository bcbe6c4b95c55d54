package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

func (a *app) labSSHCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "ssh HOST [-- COMMAND…]",
		Short: "Log in to a host of a lab, or run a command there through ssh",
		Long: `Runs the ordinary ssh client as root@HOST with the lab's key and known hosts. As with
ssh itself, the words of COMMAND are joined and read by a shell on the host. The
exit code is that of ssh.`,
		Example: `  sudo kinectl lab ssh h1
  sudo kinectl lab ssh h1 -- 'journalctl -u hello | tail'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: labHosts(name),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			if err != nil {
				return labError(err, *name)
			}
			ssh, err := l.SSH(cmd.Context(), args[0], args[1:]...)
			if err != nil {
				return labError(err, *name)
			}
			return childError(a.runHere(ssh), *name)
		},
	}
}

func (a *app) labExecCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "exec HOST -- COMMAND [ARG…]",
		Short: "Run a command in a host of a lab, without ssh",
		Long: `Runs COMMAND in the host as root in a clean environment, no shell in between, also
when its sshd does not work. The exit code is that of COMMAND.`,
		Example: `  sudo kinectl lab exec h1 -- systemctl --failed
  sudo kinectl lab exec h1 -- sh -c 'cat >/tmp/x' <x`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: labHosts(name),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			if err != nil {
				return labError(err, *name)
			}
			return childError(l.Exec(cmd.Context(), args[0], a.stdin, a.descriptor(), a.stderr, args[1:]...), *name)
		},
	}
}

func (a *app) labRunCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "run -- COMMAND [ARG…]",
		Short: "Run a command of this machine inside a lab's network",
		Long: `Runs COMMAND of this machine where the lab's hosts can be reached at their addresses,
and nothing else can. The exit code is that of COMMAND.`,
		Example: `  sudo kinectl lab run -- curl -s http://198.51.100.11:9090/metrics
  sudo kinectl lab run -- ping -c1 198.51.100.12`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			if err != nil {
				return labError(err, *name)
			}
			return childError(a.runHere(l.Command(cmd.Context(), args...)), *name)
		},
	}
}

// runHere runs a command on our own input and output. When we are interrupted
// it gets the chance to end by itself.
func (a *app) runHere(c *exec.Cmd) error {
	c.Stdin, c.Stdout, c.Stderr = a.stdin, a.descriptor(), a.stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}

// labHosts completes the first word with the lab's hosts.
func labHosts(name *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
		l, err := lab.Open(*name)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, h := range l.Hosts() {
			words = append(words, h.Name)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
