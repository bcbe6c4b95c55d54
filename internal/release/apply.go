package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/plan"
)

// SitePlaybook is the playbook at the root of an infra repository that brings
// hosts the roles of their groups.
const SitePlaybook = "site.yml"

// Roled is what the roles did on one host, as Ansible counts it.
type Roled struct {
	Host        string `json:"host"`
	Changed     int    `json:"changed"`
	Failed      int    `json:"failed"`
	Unreachable int    `json:"unreachable"`
	Task        string `json:"task,omitempty"`   // that went wrong last, when the run failed
	Reason      string `json:"reason,omitempty"` // what it said
}

// Roles runs the SitePlaybook over the hosts of o.Limit. Ansible's own output is in
// the file log, which is there also when something failed. Interrupted, Ansible
// ends the task that it is at; another run goes on from there.
func Roles(ctx context.Context, o Options) (hosts []Roled, log string, err error) {
	program, err := ansibleProgram("ansible-playbook")
	if err != nil {
		return nil, "", err
	}
	file, err := o.openLog(ofChange, plan.Plan{Name: "apply"})
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	argv := []string{"-i", o.Infra.Inventory, SitePlaybook}
	if o.Limit != "" {
		argv = append(argv, "--limit", o.Limit)
	}
	if o.Check {
		argv = append(argv, "--check")
	}
	cmd := exec.CommandContext(ctx, program, argv...)
	cmd.Dir = o.Infra.Dir
	cmd.Stdout, cmd.Stderr = file, file
	cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_STDOUT_CALLBACK=default", "ANSIBLE_CALLBACK_RESULT_FORMAT=json")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	text, bad := os.ReadFile(file.Name())
	if bad != nil {
		return nil, file.Name(), bad
	}
	hosts = recap(string(text))
	if err != nil {
		if said := explain(hosts, string(text)); said != "" && ctx.Err() == nil {
			err = fmt.Errorf("run %s: failed on %s", SitePlaybook, said)
		} else {
			err = fmt.Errorf("run %s: %w%s", SitePlaybook, err, complaint(file.Name()))
		}
	}
	return hosts, file.Name(), err
}

var recapLine = lazyregexp.New(`^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)`)

// recap reads the end of ansible-playbook's output.
func recap(output string) []Roled {
	_, tail, _ := strings.Cut(output, "\nPLAY RECAP ")
	var all []Roled
	for line := range strings.Lines(tail) {
		if m := recapLine.FindStringSubmatch(line); m != nil {
			r := Roled{Host: m[1]}
			_, _ = fmt.Sscan(strings.Join(m[2:], " "), &r.Changed, &r.Unreachable, &r.Failed) // digits
			all = append(all, r)
		}
	}
	return all
}

// Lack is a service that hosts of its group do not have.
type Lack struct {
	Service string   `json:"service"`
	Group   string   `json:"group"`
	Version string   `json:"version"` // that all other hosts of the group run
	Hosts   []string `json:"hosts"`
}

// ErrSkew is wrapped by the error about a group whose hosts do not agree.
var ErrSkew = errors.New("hosts of the group run different versions")

// Lacks compares what the hosts have with what the other hosts of their groups
// run, for the hosts that the limit leaves. A service that no host runs is not
// lacking; one of which hosts run two versions is an error, beside the lacks of the
// others: which of the two is meant, a deploy says.
func Lacks(ctx context.Context, o Options, found *Surveyed) ([]Lack, error) {
	selected := func(string) bool { return true }
	if o.Limit != "" {
		all, err := o.matching(ctx)
		if err != nil {
			return nil, err
		}
		selected = func(h string) bool { return slices.Contains(all, h) }
	}
	return lacks(found, o.Infra.Hosts, selected)
}

// lacks is pure.
func lacks(found *Surveyed, members func(group string) ([]string, error), selected func(host string) bool) ([]Lack, error) {
	var all []Lack
	var faults []error
	for i := 0; i < len(found.Services); {
		n := i // they are sorted by service
		for n < len(found.Services) && found.Services[n].Service == found.Services[i].Service {
			n++
		}
		name, hosts := found.Services[i].Service, found.Services[i:n]
		i = n
		running := map[string]string{} // host → version
		lack := Lack{Service: name}
		var versions []string
		for _, h := range hosts {
			if h.Version == "" {
				continue
			}
			running[h.Host] = h.Version
			versions = append(versions, h.Version)
			if h.Group != "" {
				lack.Group = h.Group
			}
		}
		if lack.Group == "" {
			continue
		}
		group, err := members(lack.Group)
		if err != nil {
			continue // the group is no more: what it ran is for `remove`
		}
		for _, h := range group {
			if _, lost := found.Lost[h]; running[h] == "" && !lost && selected(h) {
				lack.Hosts = append(lack.Hosts, h)
			}
		}
		slices.Sort(versions)
		versions = slices.Compact(versions)
		switch {
		case len(lack.Hosts) == 0:
		case len(versions) > 1:
			faults = append(faults, fmt.Errorf("%s for %s: %w: %s", name, strings.Join(lack.Hosts, " "), ErrSkew, strings.Join(versions, " and ")))
		default:
			lack.Version = versions[0]
			all = append(all, lack)
		}
	}
	return all, errors.Join(faults...)
}
