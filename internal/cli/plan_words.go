package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// alike gathers the hosts that would change in the same way, each group where
// its first host stands.
func alike(hosts []release.HostPreview) [][]release.HostPreview {
	var groups [][]release.HostPreview
	for _, h := range hosts {
		i := slices.IndexFunc(groups, func(g []release.HostPreview) bool {
			first := g[0]
			return first.From == h.From && first.Result == h.Result && first.Changes == h.Changes && first.Restart == h.Restart &&
				first.Reason == h.Reason && slices.Equal(first.Diffs, h.Diffs)
		})
		if i < 0 {
			groups = append(groups, []release.HostPreview{h})
		} else {
			groups[i] = append(groups[i], h)
		}
	}
	return groups
}

func names(hosts []release.HostPreview) string {
	var all []string
	for _, h := range hosts {
		all = append(all, h.Host)
	}
	return strings.Join(all, " ")
}

// mark is the sign of a host: "+" for a first install, "~" for a change, "!"
// where a deploy would not begin.
func mark(h release.HostPreview) string {
	switch {
	case h.Result != release.Planned:
		return "!"
	case !h.Changes:
		return " "
	case h.From == "":
		return "+"
	}
	return "~"
}

func previewWords(h release.HostPreview) string {
	if h.Result != release.Planned {
		return strings.TrimSuffix(string(h.Result)+": "+h.Reason, ": ")
	}
	if !h.Changes {
		return h.From + ", nothing to do"
	}
	what := h.From + " → " + h.To
	switch h.From {
	case "":
		what = "not installed → " + h.To
	case h.To:
		what = h.To + ", new configuration"
		if len(h.Diffs) == 0 {
			what = h.To + ", put right"
		}
	}
	return what + ", " + restartWords(h.Restart)
}

func restartWords(r release.Effect) string {
	switch r {
	case release.Starts:
		return "starts"
	case release.Restarts:
		return "restarts"
	case release.Overlaps:
		return "restarts, old and new overlap"
	}
	return "nothing restarts"
}

// conditions say how the roll would go, where something would change.
func conditions(v *release.Preview, p plan.Plan) []string {
	changing := 0
	for _, h := range v.Hosts {
		if h.Changes {
			changing++
		}
	}
	if changing == 0 {
		return nil
	}
	lines := []string{"batches: " + strings.Join(v.Serial, ", then ") + "; if a host fails: " + v.OnFailure}
	if v.OnFailure == "revert" {
		lines[0] += " those before it"
	}
	if v.AtOnce > 0 {
		lines = append(lines, fmt.Sprintf("out of service at once: %d of %d (%d %%)", v.AtOnce, v.Capacity, v.AtOnce*100/v.Capacity))
	} else {
		lines = append(lines, "out of service at once: none")
	}
	if v.Drain > 0 {
		lines = append(lines, fmt.Sprintf("each is out of traffic for %g s before it restarts", v.Drain))
	}
	if v.Before {
		lines = append(lines, "first, once: deploy.before "+p.Deploy.Before.String())
	}
	if len(v.Timers) > 0 {
		lines = append(lines, "tasks: "+strings.Join(v.Timers, " "))
	}
	return lines
}

// planCounts is the footer.
func planCounts(v *release.Preview) string {
	count := map[string]int{}
	for _, h := range v.Hosts {
		switch {
		case h.Result != release.Planned:
			count[string(h.Result)]++
		case !h.Changes:
			count["unchanged"]++
		case h.From == "":
			count["to install"]++
		default:
			count["to change"]++
		}
	}
	var parts []string
	for _, word := range []string{"to install", "to change", "unchanged", "locked", "unreachable", "failed"} {
		if count[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[word], word))
		}
	}
	return "Plan: " + strings.Join(parts, ", ")
}
