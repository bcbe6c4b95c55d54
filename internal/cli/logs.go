package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
)

// logsCommand is `kinectl logs`.
func (a *app) logsCommand() *cobra.Command {
	var f fleet
	q := release.LogQuery{}
	cmd := &cobra.Command{
		Use:   "logs --infra DIR --env ENV",
		Short: "Show the journal of a service over all its hosts",
		Long: `Show the journal lines of a service and of its timers from every host of its group,
merged by time, each with the name of its host. With -f it goes on until Ctrl-C; a
host that is lost is named, and read on from where it was when it is back.

It speaks ssh to the hosts as the inventory says they are reached. The user there
needs the group systemd-journal, or sudo without a password. With --json it prints
the entries of the journal, one a line, with the key "host". Exit code 1 when a host
could not be read.`,
		Example: `  kinectl logs --infra ../infra --env production --since 1h --grep timeout
  kinectl logs --infra ../infra --env production -f --priority err`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage(fmt.Errorf("logs takes no %q", args[0]), "the spec is --file here: -f is --follow, as journalctl has it")
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			p, o, err := f.open(ctx, a)
			if err != nil {
				return err
			}
			if reason := badPattern(q.Grep); reason != "" {
				return usage(fmt.Errorf("--grep %q is no regular expression: %s", q.Grep, reason), `a \ before a character takes its meaning away: \( \[ \*`)
			}
			if q.Since != "" && !cmd.Flags().Changed("lines") {
				q.Lines = 0
			}
			if q.Lines < 0 {
				return usage(errors.New("--lines must not be negative"), "")
			}
			lost := func(host string, err error) {
				if err != nil {
					fmt.Fprintf(a.stderr, "%s: not read: %s\n", host, printable(err.Error()))
				} else {
					fmt.Fprintf(a.stderr, "%s: read again\n", host)
				}
			}
			hosts, _ := o.Infra.Hosts(p.Group)
			width := 0
			for _, h := range hosts {
				width = max(width, len(h))
			}
			err = release.Logs(ctx, o, p, q, a.logPrinter(p.Name, width), lost)
			if errors.Is(err, release.ErrFailed) && a.json {
				return exit(exitFailed) // standard error has named the hosts
			}
			if errors.Is(err, release.ErrFailed) || errors.Is(err, context.Canceled) {
				return failed(err, "")
			}
			if err != nil {
				return usage(err, "")
			}
			return nil
		},
	}
	// As journalctl has it, -f follows here, and the spec has its long name only.
	cmd.Flags().StringVar(&f.spec, "file", "spec.yml", "spec of the service")
	f.whereFlags(cmd)
	cmd.Flags().BoolVarP(&q.Follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	cmd.Flags().IntVarP(&q.Lines, "lines", "n", 100, "the newest so many lines of all hosts together; 0 for all (with --since: 0)")
	cmd.Flags().StringVar(&q.Since, "since", "", `from then on: 30m, 1h, or a time as journalctl takes it ("today", "2026-01-31 08:00")`)
	cmd.Flags().StringVar(&q.Grep, "grep", "", "only messages that match this regular expression")
	cmd.Flags().StringVar(&q.Priority, "priority", "", "only messages of this weight or more: emerg, alert, crit, err, warning, notice, info, debug")
	_ = cmd.RegisterFlagCompletionFunc("priority", cobra.FixedCompletions([]string{"err", "warning", "notice", "info", "debug"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// badPattern says what is wrong with a pattern; "" where it may be right. The journals'
// own are those of PCRE2, which has more than Go (pcre2pattern(3)): only what is wrong in
// both is told here.
func badPattern(pattern string) string {
	_, err := syntax.Parse(pattern, syntax.Perl)
	var wrong *syntax.Error
	if !errors.As(err, &wrong) || strings.Contains(pattern, "(*") {
		return ""
	}
	switch wrong.Code {
	case syntax.ErrMissingParen:
		return "a ( has no )"
	case syntax.ErrUnexpectedParen:
		return "a ) has no ("
	case syntax.ErrMissingBracket:
		return "a [ has no ]"
	case syntax.ErrMissingRepeatArgument:
		return wrong.Expr + " has nothing to repeat"
	case syntax.ErrTrailingBackslash:
		return "nothing follows the last \\"
	}
	return ""
}

// logPrinter returns what prints one line. A unit other than the service's own is
// named.
func (a *app) logPrinter(service string, width int) func(release.LogLine) {
	if a.json {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		return func(l release.LogLine) {
			l.Fields["host"] = l.Host
			_ = enc.Encode(l.Fields)
		}
	}
	colour := terminal(a.stdout)
	return func(l release.LogLine) {
		host := fmt.Sprintf("%-*s", width, l.Host)
		text := printable(l.Message)
		if unit := strings.TrimSuffix(l.Unit, ".service"); unit != service && unit != "" {
			text = unit + ": " + text
		}
		if colour {
			host = "\x1b[" + strconv.Itoa(hostColour(l.Host)) + "m" + host + "\x1b[0m"
			if l.Priority <= 3 {
				text = "\x1b[31m" + text + "\x1b[0m"
			}
		}
		fmt.Fprintf(a.stdout, "%s %s %s\n", host, l.Time.Local().Format("2006-01-02 15:04:05.000"), text)
	}
}

// hostColour is the same for a host at every call: one of those that are legible
// on black and on white (ECMA-48, SGR), without red.
func hostColour(host string) int {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(host))
	colours := []int{32, 33, 34, 35, 36, 92, 94, 95, 96}
	return colours[sum.Sum32()%uint32(len(colours))]
}

// printable is a message without what would steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case unicode.IsControl(r):
			return '\uFFFD'
		}
		return r
	}, strings.TrimRight(s, "\n"))
}

// legible is printable for a text of several lines.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, s)
}

// row is a line of a table, whose cells hosts may have written.
func row(table io.Writer, cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	fmt.Fprintln(table, strings.Join(cells, "\t"))
}

// ago says how long a moment is past, for a table.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "-"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}
