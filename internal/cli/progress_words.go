package cli

import (
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/release"
)

// doing is a step in words.
func (b busyHost) doing() string {
	if b.back {
		return "going back"
	}
	switch b.step {
	case "":
		return "begins"
	case "drain":
		return "leaves traffic"
	case "install":
		return "installs the package"
	case "restart":
		return "restarts"
	case "judge":
		return "is probed"
	case "settle":
		return "is healthy, settles"
	case "commit":
		return "keeps the release"
	}
	return printable(b.step)
}

// describe is how a host ended.
func describe(r release.HostResult) string {
	from := r.From
	if from == "" {
		from = "not installed"
	}
	switch r.Result {
	case release.Deployed, release.Restored:
		if r.From == r.Version && r.Result == release.Restored {
			return r.Version + ", the configuration before, healthy"
		}
		if r.From == r.Version {
			return r.Version + ", new configuration, healthy"
		}
		return fmt.Sprintf("%s → %s, healthy", from, r.Version)
	case release.Ran:
		return "ran deploy.before of " + r.Version
	case release.Unchanged:
		return "unchanged"
	case release.Removed:
		return "removed " + r.From
	case release.Restarted, release.Started:
		return string(r.Result) + ", healthy"
	case release.Halted:
		return string(r.Result)
	case release.Checked:
		return printable(r.Reason)
	case release.RolledBack:
		return fmt.Sprintf("%s → %s failed, rolled back: %s again", from, r.Version, from)
	case release.Locked, release.Unreachable, release.Unfinished:
		return string(r.Result)
	}
	return "failed"
}

// details say why, under the line of a host that went wrong.
func details(r release.HostResult) []string {
	if r.Result.Good() {
		return nil
	}
	lines := []string{printable(r.Reason)}
	for _, l := range r.Log {
		lines = append(lines, "| "+printable(l))
	}
	return lines
}

// counts says what became of how many hosts.
func counts(o *release.Outcome) string {
	const reverted release.Result = "reverted"
	back := map[string]release.Result{}
	for _, h := range o.Reverted {
		back[h.Host] = h.Result
	}
	count := map[release.Result]int{}
	for _, h := range o.Hosts {
		switch went := back[h.Host]; {
		case h.Result == release.Deployed && went == release.Restored:
			h.Result = reverted
		case went == release.Failed, went == release.Unfinished: // nobody knows what it runs
			h.Result = went
		}
		count[h.Result]++
	}
	var parts []string
	for _, r := range []release.Result{
		release.Deployed, reverted, release.Restored, release.Removed,
		release.Restarted, release.Started, release.Halted, release.Unchanged, release.Checked,
		release.RolledBack, release.Failed, release.Locked, release.Unreachable, release.Unfinished,
	} {
		if count[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
		}
	}
	if n := len(o.Skipped); n > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped, unreachable (%s)", n, strings.Join(o.Skipped, " ")))
	}
	if n := len(o.Untouched); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not touched", n))
	}
	return fmt.Sprintf("%s: %s, %.1f s", strings.TrimSpace(o.Service+" "+o.Version), strings.Join(parts, ", "), o.Seconds)
}

// summary is the last line of a run that went well.
func summary(o *release.Outcome) string {
	s := counts(o)
	switch {
	case o.Action != "": // nothing for a Prometheus to be told
	case o.LeftOut:
		s += "; monitoring skipped: --limit leaves no host of the group monitoring"
	case !o.Monitored:
		s += "; monitoring skipped: no host of a group monitoring"
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
