package release

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// A fault is the last task that went wrong on a host, and what it said.
type fault struct{ host, task, reason string }

// longestReason of an ordinary task, in runes: some print all that they have run.
const longestReason = 400

// faultLine is the heading of a task, or the beginning of what one returned on a
// host that failed or was not reached, up to its JSON.
var faultLine = lazyregexp.New(`(?m)^(?:(?:TASK|RUNNING HANDLER) \[(.*)\] \*+|(?:fatal|failed): \[([^\]\s]+)[^\]\n]*\].*? => )`)

// faults reads in the output of ansible-playbook, as its callback "default" writes
// it, which hosts went wrong: in that order, each once. What a playbook ignores is not
// in it.
func faults(output string) []fault {
	var all []fault
	task := ""
	for {
		at := faultLine.FindStringSubmatchIndex(output)
		if at == nil {
			return all
		}
		part := func(i int) string { return output[max(at[2*i], 0):max(at[2*i+1], 0)] }
		host := part(2)
		if host == "" {
			task = part(1)
			output = output[at[1]:]
			continue
		}
		var result json.RawMessage
		output = output[at[1]:]
		said := json.NewDecoder(strings.NewReader(output)) // over several lines, of some tasks
		if said.Decode(&result) != nil {
			continue
		}
		output = output[said.InputOffset():]
		if strings.HasPrefix(strings.TrimLeft(output, "\n"), "...ignoring") {
			continue
		}
		text, _, _ := strings.Cut(message(line{Result: result}), " The error appears to be in ") // of which Ansible knows little
		reason := []rune(text)
		if len(reason) > longestReason {
			reason = append(reason[:longestReason], '…')
		}
		all = slices.DeleteFunc(all, func(f fault) bool { return f.host == host })
		all = append(all, fault{host, task, string(reason)})
	}
}

// explain gives the hosts that went wrong their reason, and returns a line of it:
// the first with how many more there are, "" where no host is to blame.
func explain(hosts []Roled, output string) string {
	var all []string
	for _, f := range faults(output) {
		i := slices.IndexFunc(hosts, func(h Roled) bool { return h.Host == f.host && h.Failed+h.Unreachable > 0 })
		if i < 0 {
			continue // it was rescued
		}
		hosts[i].Task, hosts[i].Reason = f.task, f.reason
		all = append(all, fmt.Sprintf("%s: %s: %s", f.host, f.task, f.reason))
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	}
	return fmt.Sprintf("%s (and %d more)", all[0], len(all)-1)
}
